// What the detectors make of a camera and a microphone: the right incident, the right confirmer, and what it says to the
// people who judge it. Pictures come every five seconds, so each condition takes its real time; one exam sees several.
import assert from 'node:assert/strict'
import { clipOf, motion, pictures, playable } from '../support/clip.mjs'
import { until } from '../support/demo.mjs'
import { scenes } from '../support/scenes.mjs'
import { exam } from './sitting.mjs'
import { Centre } from './seat/centre.mjs'

/** Two rounds of the camera's timeline: a busy machine may miss a scene of the first. */
const ROUNDS_MS = 230_000
/** By code: the condition it stands for, which detector claims it, and how its explanation begins in Russian. */
const CLAIMED = {
  CAMERA_COVERED: { condition: 'camera_covered', detector: 'picture', seen: /^Объектив чем-то закрыт/ },
  NO_FACE: { condition: 'no_face', detector: 'rustface', seen: /^На снимках не найдено лица/ },
  SECOND_PERSON: { condition: 'several_faces', detector: 'rustface', seen: /больше одного лица/ },
  SOUND_HEARD: { condition: 'sound_heard', detector: 'level', seen: /^Слышен звук/ },
  CAMERA_FROZEN: { condition: 'camera_frozen', detector: 'picture', seen: /^Снимки, пришедшие подряд/ },
}

/** The newest incident of a code in the log that waits for a person. */
async function open(sitting, code) {
  const { incidents } = await sitting.detail()
  return incidents.find(incident => incident.code === code && incident.status === 'open')
}

/** It waits for a person, has what a person needs to judge it, and says so at the proctor's. */
async function explained(sitting, code, patience) {
  const { condition, detector, seen } = CLAIMED[code]
  const incident = await until(`${code} is claimed`, () => open(sitting, code), patience)
  assert.deepEqual([incident.class, incident.source, incident.consequence], ['human', 'model', null])
  const { finding, explanation } = incident
  assert.equal(finding.condition, condition)
  assert.equal(finding.detector, detector)
  assert.match(finding.version, /^\d+\.\d+\.\d+/)
  assert(finding.confidence_pct >= 40 && finding.confidence_pct <= 100, `${finding.confidence_pct} %`)
  if (detector === 'level') {
    assert.equal(finding.picture_sha256, null, 'a sound has no picture')
  } else {
    assert.match(finding.picture_sha256, /^[0-9a-f]{64}$/)
    assert(finding.picture_at >= incident.began_at, 'claimed when it was seen long enough')
    assert(finding.shown >= 2, `${finding.shown} pictures`)
  }
  assert.match(explanation.seen.ru, seen)
  const sentences = [explanation.seen, explanation.not_meant].flatMap(({ kk, ru, en }) => [kk, ru, en])
  assert.equal(new Set(sentences).size, 6, 'two sentences in three languages')

  const card = sitting.proctor.at('open-incidents').locator(`[data-testid=incident][data-no="${incident.no}"]`)
  await card.getByTestId('explanation-seen').getByText(explanation.seen.ru).waitFor()
  await card.getByTestId('explanation-not').getByText(explanation.not_meant.ru).waitFor()
  assert.match(await card.getByTestId('explanation-facts').innerText(), new RegExp(`${finding.confidence_pct} %.*${finding.detector}`))
  return { incident, card }
}

/** What is to be seen when an incident of that code begins. */
const SHOWN = { CAMERA_COVERED: 'covered', NO_FACE: 'nobody', SECOND_PERSON: 'two' }
/** From its beginning a claim needs at least that much of it; pictures and claims have clocks of their own. */
const HOLDS_MS = 4_000
const CLOCKS_MS = 1_000
/** The person is seen that long between two scenes. */
const PERSON_MS = 3_000
/** Half-way between the cover and what a person before a wall measures. */
const DARK = 60
/** Speech against the quiet of the same clip. */
const LOUDER = 8

/** Seen at its mark is what is claimed; whether the clip also has how it was before. */
async function seen(sitting, code, { incident, card }) {
  const scene = SHOWN[code]
  const video = await playable(card.getByTestId('clip-video'))
  assert(video.width > 0, 'at the proctor’s too')
  const shown = await (await clipOf(sitting, incident.no)).scenes(scenes().pictures)
  const says = () => `${code} at ${incident.began_at}: ${shown.map(one => `${one.at - incident.began_at} ${one.scene} ${one.luma.toFixed()}`).join(', ')}`
  const marked = shown.filter(({ at }) => at > incident.began_at + CLOCKS_MS && at < incident.began_at + HOLDS_MS)
  assert(marked.length > 0 && marked.every(one => one.scene === scene), says())
  if (code === 'CAMERA_COVERED') assert(marked.every(({ luma }) => luma < DARK), says())
  const first = shown.findIndex(one => one.scene === scene)
  const before = shown.slice(0, first).filter(({ at }) => at > shown[first].at - PERSON_MS)
  assert(before.every(one => one.scene === 'person' && one.luma > DARK), says())
  return before.length > 0
}

/** Somebody speaks at its mark, and not all the time. */
async function heard(sitting, { incident }) {
  const slices = await (await clipOf(sitting, incident.no)).sound()
  const quiet = slices.map(({ energy }) => energy).sort((a, b) => a - b)[Math.floor(slices.length / 10)]
  const marked = slices.filter(({ at }) => at > incident.began_at - CLOCKS_MS && at < incident.began_at + HOLDS_MS)
  const loudest = Math.max(...marked.map(({ energy }) => energy))
  assert(loudest > LOUDER * quiet, `${loudest} against ${quiet}: ${slices.map(({ at, energy }) => `${at - incident.began_at} ${energy.toFixed()}`).join(', ')}`)
}

/** Up to its mark there are pictures, from then on there is none. */
async function wentDark(sitting, { no, began_at }) {
  const clip = await clipOf(sitting, no)
  const times = (await clip.pictures()).map(({ at }) => at - began_at)
  assert(times.some(at => at < -CLOCKS_MS), `${times}`)
  assert(times.every(at => at < HOLDS_MS), `${times}`)
}

/** From now on the page's camera can be switched off, and not on again. */
async function reachable(page) {
  await page.addInitScript(() => {
    const devices = navigator.mediaDevices
    const open = devices.getUserMedia.bind(devices)
    devices.getUserMedia = async wanted => {
      if (globalThis.cameraIsGone) throw new DOMException('', 'NotReadableError')
      globalThis.opened = await open(wanted)
      return globalThis.opened
    }
  })
  await page.reload()
}

exam('covered, empty, two faces, speech: each waits for a person, who reads what it means; a camera switched off does not wait',
  { detectors: 'inside', shows: scenes().day, patienceMs: 420_000 }, async sitting => {
    const { candidate, proctor } = sitting
    await reachable(candidate.page)
    await sitting.reachExam()
    const claimed = {}
    for (const code of ['SOUND_HEARD', ...Object.keys(SHOWN)]) claimed[code] = await explained(sitting, code, ROUNDS_MS)
    assert.equal((await sitting.detail()).row.summary.warnings, 0, 'what a machine claims warns nobody by itself')
    await heard(sitting, claimed.SOUND_HEARD)
    const changes = []
    for (const code of Object.keys(SHOWN)) changes.push(await seen(sitting, code, claimed[code]))
    // One picture in five seconds is looked at; a machine that is very busy may see one of the three late.
    assert(changes.some(Boolean), 'a clip begins before what it shows')

    await candidate.page.evaluate(() => {
      globalThis.cameraIsGone = true
      const [camera] = globalThis.opened.getVideoTracks()
      camera.stop()
      camera.dispatchEvent(new Event('ended'))
    })
    await candidate.at('restore-devices').click()
    await candidate.at('warning').waitFor({ timeout: 120_000 })
    const off = (await sitting.detail()).incidents.find(({ code }) => code === 'CAMERA_OFF')
    assert.deepEqual([off.class, off.source, off.status, off.consequence], ['auto', 'client', 'confirmed_auto', 'warning'])
    assert.equal(off.finding, null, 'nothing was measured: the browser says so')
    await proctor.at('past-incidents').locator('summary').first().click()
    await proctor.at('past-incident').getByText(off.explanation.not_meant.ru).waitFor()
    await wentDark(sitting, off)
  })

exam('a camera that stands still, by the name of a program: the one is claimed, the other only noted; the commission reads why',
  { detectors: 'inside', shows: scenes().still }, async sitting => {
    const { candidate, demo, info } = sitting
    await sitting.reachExam()
    const { incident, card } = await explained(sitting, 'CAMERA_FROZEN', 120_000)
    const { timeline, incidents } = await sitting.detail()
    assert(timeline.some(({ kind, what }) => kind === 'detector_reported' && what === 'VIRTUAL_CAMERA'), 'noted in the log')
    assert.deepEqual(incidents.map(({ code }) => code), ['CAMERA_FROZEN'], 'a name raises nothing, a quiet room neither')

    // What the encoder adds is little against a person who sits still.
    const size = { width: 160, height: 120 }
    const [still, alive] = [await (await clipOf(sitting, incident.no)).pictures(size), await pictures(scenes().pictures.person, size)]
    const moves = `${still.length} pictures move by ${motion(still).toFixed(2)}, a person by ${motion(alive).toFixed(2)}`
    console.log(`# ${moves}`)
    assert(still.length > 20 && motion(still) < motion(alive) / 4, moves)

    await card.getByTestId('confirm').click()
    await candidate.at('warning').waitFor()
    await candidate.acknowledgeWarning()
    await candidate.handIn()
    await candidate.end()
    // What still runs at the end is no second violation; somebody may have to say so.
    await until('nothing waits for a person', async () => {
      const waits = await open(sitting, 'CAMERA_FROZEN')
      if (waits) await sitting.dismissOpenIncident()
      return !waits
    }, 60_000)
    const { payload } = JSON.parse(await sitting.bundle())
    const { violations } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    assert.equal(violations[0].finding.picture_sha256, incident.finding.picture_sha256)
    assert.deepEqual(violations[0].finding.explanation, incident.explanation)
    const centre = await sitting.seat(Centre.open(demo))
    await centre.go(`results/${info.session}`)
    const read = centre.at('incident').filter({ has: centre.page.locator('[data-condition=camera_frozen]') }).first()
    await read.getByTestId('explanation-not').getByText(incident.explanation.not_meant.ru).waitFor()
  })
