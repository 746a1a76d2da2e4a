// Firefox ESR at both ends: its own WebRTC against our server, a whole exam in our own pages, with real clicks and keys.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { Firefox } from '../support/firefox.mjs'
import { fixtures } from '../support/fixtures.mjs'
import { choice } from '../support/key.mjs'
import { exam } from './sitting.mjs'

const CHECKS = ['camera', 'microphone', 'connection', 'media']
const TEXTS = ['methodology', 'appeal_procedure', 'forbidden_items', 'conduct']
const ANSWERED = 3
/** Firefox's fake microphone hums at -26 dBFS; silence that was coded and decoded stays below -70. */
const HUMS = 0.01

/** From the link to the photos. */
async function checkDevice(candidate) {
  for (const id of ['begin-device', 'lang-ru', 'language-next', 'consent-check', 'consent-next', 'device-allow']) await candidate.click(id)
  for (const check of CHECKS) await candidate.sees(`[data-testid=check-${check}][data-ok=true]`)
  await candidate.click('device-next')
}

async function sendPhotos(candidate) {
  await candidate.click('take-face')
  await candidate.sees('[data-testid=photo-face][data-stored=true]')
  await candidate.choose('file-document', fixtures().document)
  await candidate.sees('[data-testid=photo-document][data-stored=true]')
  await candidate.click('identity-submit')
  await candidate.sees('[data-testid=screen-identity]')
}

async function signIn(proctor, { login, password }) {
  await proctor.type('login', login)
  await proctor.type('password', password)
  await proctor.click('sign-in-submit')
}

/** What the large picture shows and what its sound track carries: the loudest sample of half a second, decoded again. */
function lookAndListen() {
  const video = document.querySelector('[data-testid=live-video]')
  if (!video?.srcObject || video.readyState < 3) return null
  // Firefox counts no frames of a live stream, but its fake camera changes colour all the time.
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
  const brush = canvas.getContext('2d')
  brush.drawImage(video, 0, 0, 1, 1)
  const colour = [...brush.getImageData(0, 0, 1, 1).data].join()
  const tracks = video.srcObject.getAudioTracks()
  return new Promise(done => {
    const [parts, recorder] = [[], new MediaRecorder(new MediaStream(tracks))]
    recorder.ondataavailable = ({ data }) => parts.push(data)
    recorder.onstop = async () => {
      const bytes = await new Blob(parts).arrayBuffer()
      const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes).catch(() => null)
      const loudest = sound ? Math.max(...sound.getChannelData(0).map(Math.abs)) : 0
      done({ colour, width: video.videoWidth, isMuted: video.muted, loudest })
    }
    recorder.start()
    setTimeout(() => recorder.stop(), 500)
  })
}

async function seesAndHears(proctor) {
  const before = await until('a live picture in Firefox', () => proctor.run(lookAndListen), 60_000)
  const after = await until('it moves and hums', async () => {
    const now = await proctor.run(lookAndListen)
    return now && now.colour !== before.colour && now.loudest > HUMS && now
  }, 60_000)
  assert.deepEqual([after.width > 0, after.isMuted], [true, false])
}

/** Answers the question on the screen rightly; the places that were chosen. */
async function answer(candidate, index) {
  await candidate.click(`place-${index}`)
  await candidate.sees(`[data-testid=question][data-index="${index}"]`)
  const text = await candidate.text('[data-testid=question-text]')
  const options = await candidate.run(() =>
    [...document.querySelectorAll('fieldset label:has([data-testid^=option-])')].map(label => label.innerText))
  const places = choice(text, options, true)
  for (const place of places) await candidate.click(`option-${place}`)
  return places.toSorted((a, b) => a - b)
}

exam('Firefox publishes, sits the exam to its end, and watches', { seats: false }, async sitting => {
  const { demo, info, link } = sitting
  const [candidate, proctor] = await Promise.all([
    sitting.seat(Firefox.open(link)), sitting.seat(Firefox.open(`${demo.links.base_url}/proctor/`)),
  ])
  await Promise.all([checkDevice(candidate).then(() => sendPhotos(candidate)), signIn(proctor, demo.links.proctor)])
  await proctor.press(`[data-testid=tile][data-session="${info.session}"]`)
  await seesAndHears(proctor)
  await proctor.click('admit')
  for (const text of TEXTS) await candidate.click(`confirm-${text}`)
  await candidate.click('begin-exam')
  const answers = new Map()
  for (let index = 0; index < ANSWERED; index++) answers.set(index, await answer(candidate, index))
  await candidate.sees('[data-testid=save-line][data-state=saved]')
  await seesAndHears(proctor)
  await candidate.click('hand-in')
  await candidate.click('hand-in-confirm')
  await candidate.sees('[data-testid=screen-end]')
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  const names = await sitting.sealedEvidence()
  for (const name of ['webcam-0001.webm', 'face-1', 'document-1']) assert(names.some(it => it.startsWith(name)), `${name} in ${names}`)
  const { tracks: [webcam] } = await (await sitting.centre()).json(`/api/v1/playback/${info.session}`)
  assert(webcam.parts.some(({ pictured, ms }) => pictured && ms > 5_000), JSON.stringify(webcam.parts))
})
