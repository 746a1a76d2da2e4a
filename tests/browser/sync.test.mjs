// Sound and picture together through a real Chromium: a flash and a beep made at one instant, encoded and sent by the
// browser, recorded by the server, and looked for in the recording. The camera is a canvas and the microphone an
// oscillator, because the files of a fake camera and a fake microphone begin at different instants, which nobody tells.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'
import { Candidate } from './seat/candidate.mjs'

const run = promisify(execFile)
/** The figure of the issue. */
const APART_MS = 80
const FLASHES = 6
const EVERY_MS = 2_000
/** A picture each: fewer than the encoder is allowed, so that it leaves none out. */
const DRAWN_EVERY_MS = 100
const LASTS_MS = 300
/** Mean luma of a picture: black and white are 16 and 235. */
const WHITE = 126

/** Runs in the page before its own scripts: what camera and microphone give from now on. */
function flashAndBeep({ every, drawn, lasts }) {
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
    const brush = canvas.getContext('2d')
    const audio = new AudioContext()
    const [tone, volume, out] = [audio.createOscillator(), audio.createGain(), audio.createMediaStreamDestination()]
    volume.gain.value = 0
    tone.frequency.value = 1_000
    tone.connect(volume).connect(out)
    tone.start()
    await audio.resume()
    const [camera] = canvas.captureStream(0).getVideoTracks()
    let [drawings, isOn] = [0, false]
    setInterval(() => {
      const wasOn = isOn
      isOn = drawings++ * drawn % every < lasts
      brush.fillStyle = isOn ? '#fff' : '#000'
      brush.fillRect(0, 0, canvas.width, canvas.height)
      camera.requestFrame()
      if (isOn !== wasOn) volume.gain.setValueAtTime(isOn ? 0.5 : 0, audio.currentTime)
    }, drawn)
    return new MediaStream([camera, ...out.stream.getAudioTracks()])
  }
}

/** Seconds at which pictures turn white. */
async function flashes(file) {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-copyts', '-i', file, '-map', '0:v', '-fps_mode', 'passthrough',
    '-vf', 'signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-', '-f', 'null', '-'])
  const pictures = [...stdout.matchAll(/pts_time:(\S+)\s+lavfi\.signalstats\.YAVG=(\S+)/g)].map(([, at, luma]) => ({ at: Number(at), isWhite: Number(luma) > WHITE }))
  return pictures.filter(({ isWhite }, index) => isWhite && pictures[index - 1]?.isWhite === false).map(({ at }) => at)
}

/** Seconds at which a silence ends. */
async function beeps(file) {
  const { stderr } = await run('ffmpeg', ['-hide_banner', '-nostats', '-copyts', '-i', file, '-map', '0:a',
    '-af', 'silencedetect=noise=-25dB:d=0.5', '-f', 'null', '-'])
  return [...stderr.matchAll(/silence_end: (\S+)/g)].map(([, at]) => Number(at))
}

exam('a flash and a beep of one instant are within 80 ms of each other in the recording', { seats: false }, async sitting => {
  const { link, info } = sitting
  const candidate = await sitting.seat(Candidate.open(link))
  await candidate.page.addInitScript(flashAndBeep, { every: EVERY_MS, drawn: DRAWN_EVERY_MS, lasts: LASTS_MS })
  await candidate.page.reload()
  await candidate.bind()
  await candidate.chooseLanguage()
  await candidate.consent()
  await candidate.at('device-allow').click()
  const staff = await sitting.centre()
  const part = await until('enough is recorded', async () => {
    const { tracks: [webcam] } = await staff.json(`/api/v1/playback/${info.session}`)
    return webcam.parts.find(({ pictured, ms }) => pictured && ms > (FLASHES + 1) * EVERY_MS)
  }, 60_000)
  const folder = mkdtempSync(join(tmpdir(), 'synaq-sync-'))
  try {
    const file = join(folder, 'recording.webm')
    writeFileSync(file, Buffer.from(await (await staff.get(part.url)).arrayBuffer()))
    const [seen, heard] = await Promise.all([flashes(file), beeps(file)])
    // Positive: the picture comes after its sound.
    const apart = seen.flatMap(at => {
      const nearest = heard.map(beep => (at - beep) * 1_000).sort((a, b) => Math.abs(a) - Math.abs(b))[0]
      return nearest !== undefined && Math.abs(nearest) < EVERY_MS / 4 ? [nearest] : []
    })
    const all = apart.map(ms => Math.round(ms)).toSorted((a, b) => a - b)
    console.log(`# the picture comes ${all[all.length >> 1]} ms after its sound (median), from ${all[0]} to ${all.at(-1)} ms, ${all.length} flashes`)
    assert(all.length >= FLASHES - 1, `${seen.length} flashes, ${heard.length} beeps: ${all}`)
    assert(Math.abs(all[all.length >> 1]) < APART_MS, `${all}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
