// What a fake camera and microphone show and say for the detectors, made when the tests run. The people are those of a
// photograph of 1927 (B. Couprie, public domain) that comes with the sources of the face detector; nothing is committed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Upper left corners in the photograph of what is 160 x 120 of it: a face is then as large as before a laptop. */
const PERSON = { x: 817, y: 218 }
const OTHER = { x: 610, y: 228 }
const STEPS = { x: 1_170, y: 710 }
/** A fake camera plays motion JPEG at this rate, whatever it was made at. */
const RATE = 30
/** Sensor noise, without which a picture counts as frozen. */
const NOISE = 'noise=alls=6:allf=t'

/** Seconds of a clip, of which each scene has whole ones. */
const CLIP_S = 4

/** Seconds of each scene of the timeline, which begins again at its end. A picture is looked at every five seconds: a cover
 *  is claimed after ten seconds of it, an absence too, a second face after two pictures. */
const TIMELINE = [['person', 16], ['covered', 24], ['person', 12], ['nobody', 24], ['person', 12], ['two', 20]]

const SCENES = {
  person: [moving(PERSON)],
  nobody: [moving(STEPS)],
  covered: ['color=c=0x1c1c60:s=640x480'],
  two: [half(PERSON), half(OTHER)],
}

/** A still with a slow drift, as a person or a hand-held camera has. */
function moving({ x, y }) {
  return `crop=152:114:${x + 4}+4*sin(t*1.3):${y + 3}+3*cos(t*0.9),scale=640:480`
}

function half({ x, y }) {
  return `crop=80:120:${x + 40}+2*sin(t*1.3):${y},scale=320:480`
}

/**
 * Absolute paths, made at the first call on this machine.
 * @returns {{ day: { camera: string, microphone: string }, still: { camera: string, microphone: string }, pictures: Record<string, string> }}
 *   `day`: a person, a cover, a person, an empty place, a person, two people, and so on, and speech every 20 s;
 *   `still`: the same picture all the time from a camera with the name of a program, and a short bell now and then: enough to
 *   show that the microphone works, too short to be claimed; `pictures`: each scene of the day by itself
 */
export function scenes() {
  const recipe = createHash('sha256').update(readFileSync(new URL(import.meta.url))).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `synaq-scenes-${recipe}`)
  if (!existsSync(folder)) {
    const draft = mkdtempSync(join(tmpdir(), 'synaq-scenes-draft-'))
    make(name => join(draft, name))
    try {
      renameSync(draft, folder)
    } catch {
      // Another test was faster.
      rmSync(draft, { recursive: true })
    }
  }
  const at = name => join(folder, name)
  return {
    day: { camera: at('day.mjpeg'), microphone: at('speech.wav') },
    still: { camera: at('obs virtual camera.mjpeg'), microphone: at('room.wav') },
    pictures: Object.fromEntries(Object.keys(SCENES).map(name => [name, at(`${name}.mjpeg`)])),
  }
}

/** One sound after the other. */
const JOINED = '[0]aformat=sample_rates=48000:channel_layouts=mono[a];[1]aformat=sample_rates=48000:channel_layouts=mono[b];' +
  '[a][b]concat=n=2:v=0:a=1'

/** The bytes of a scene's clip. */
function clip(file, people, [first, second]) {
  const drawn = first.startsWith('color')
  const source = drawn ? ['-f', 'lavfi', '-i', `${first}:r=${RATE}`] : ['-loop', '1', '-framerate', String(RATE), '-i', people]
  const cut = drawn ? '[0]null[a]' : second ? `[0]split[l][r];[l]${first}[b];[r]${second}[c];[b][c]hstack[a]` : `[0]${first}[a]`
  ffmpeg(...source, '-t', String(CLIP_S), '-filter_complex', `${cut};[a]${NOISE},format=yuvj420p[out]`,
    '-map', '[out]', '-q:v', '6', '-f', 'mjpeg', file)
  return readFileSync(file)
}

function make(at) {
  const people = photograph()
  const clips = Object.fromEntries(Object.entries(SCENES).map(([name, parts]) => [name, clip(at(`${name}.mjpeg`), people, parts)]))
  // Motion JPEG is one JPEG after another: a clip is repeated by its bytes.
  writeFileSync(at('day.mjpeg'), Buffer.concat(TIMELINE.flatMap(([scene, seconds]) => Array(seconds / CLIP_S).fill(clips[scene]))))
  ffmpeg('-i', people, '-vf', `crop=152:114:${PERSON.x}:${PERSON.y},scale=640:480,format=yuvj420p`,
    '-frames:v', '1', '-update', '1', '-q:v', '4', at('one.jpg'))
  writeFileSync(at('obs virtual camera.mjpeg'), Buffer.concat(Array(CLIP_S * RATE).fill(readFileSync(at('one.jpg')))))
  const quiet = seconds => ['-f', 'lavfi', '-t', String(seconds), '-i', 'anoisesrc=a=0.0008:r=48000:c=pink']
  ffmpeg(...quiet(8), '-f', 'lavfi', '-t', '0.7', '-i', 'sine=f=660:r=48000', '-filter_complex', JOINED,
    '-c:a', 'pcm_s16le', at('room.wav'))
  execFileSync('espeak-ng', ['-v', 'ru', '-s', '150', '-w', at('spoken.wav'),
    'Скажи мне, пожалуйста, ответ на пятый вопрос. Какой там правильный вариант, второй или третий?'])
  ffmpeg(...quiet(14), '-i', at('spoken.wav'), '-filter_complex', JOINED, '-c:a', 'pcm_s16le', at('speech.wav'))
}

/** In the sources that cargo fetched for the server under test. */
function photograph() {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry', 'src')
  const lock = readFileSync(new URL('../../Cargo.lock', import.meta.url), 'utf8')
  const version = /name = "rustface"\nversion = "([^"]+)"/.exec(lock)?.[1]
  const found = readdirSync(registry).map(index => join(registry, index, `rustface-${version}`, 'test.png')).find(existsSync)
  assert(found, `the sources of rustface ${version} are not in ${registry}: \`cargo fetch\` brings them`)
  return found
}

function ffmpeg(...options) {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...options], { stdio: ['ignore', 'inherit', 'inherit'] })
}
