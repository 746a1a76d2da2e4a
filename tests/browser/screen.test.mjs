// The whole screen beside webcam and sound, where the programme asks for it: shared, watched, recorded, played back; what
// a person ends, and what a reload does.
import assert from 'node:assert/strict'
import { apart, clipOf, motion } from '../support/clip.mjs'
import { until } from '../support/demo.mjs'
import { DESKTOP } from '../support/screen.mjs'
import { lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { Player } from './seat/player.mjs'
import { exam } from './sitting.mjs'

/** The clock of the pictures against the page's, which says when the share ended. */
const CLOCKS_MS = 1_000
/** The browser draws its desktop five times a second; a busy machine less often. */
const LAST_PICTURE_MS = 3_000

/** From now on the page's shares can be ended as a browser's own button does, and what is chosen can be decided here. */
async function reachable(page) {
  await page.addInitScript(() => {
    const devices = navigator.mediaDevices
    const share = devices.getDisplayMedia.bind(devices)
    devices.getDisplayMedia = async wanted => {
      globalThis.wanted = wanted
      if (globalThis.choice === 'cancel') throw new DOMException('', 'NotAllowedError')
      globalThis.shared = await share(wanted)
      if (globalThis.choice === 'window') {
        const [track] = globalThis.shared.getVideoTracks()
        track.getSettings = () => ({ displaySurface: 'window' })
      }
      return globalThis.shared
    }
    globalThis.endShare = () => {
      const [track] = globalThis.shared.getVideoTracks()
      track.stop()
      track.dispatchEvent(new Event('ended'))
    }
  })
  await page.reload()
}

const moving = video => until('the picture moves', async () => {
  const frames = () => video.evaluate(element => element.readyState >= 2 && element.videoWidth > 0 ? element.getVideoPlaybackQuality().totalVideoFrames : 0)
  const before = await frames()
  await new Promise(done => setTimeout(done, 400))
  return before > 0 && await frames() > before
}, 60_000)

/** The clip of the first incident, once what was recorded of the screen is in it. */
const bothPictures = (staff, session) => until('the clip has both pictures', async () => {
  const clip = await staff.json(`/api/v1/playback/${session}/clips/1`).catch(() => undefined)
  return clip?.screen && clip
}, 60_000)

/** Chromium's stand-in for a desktop draws all the time: its pictures are there up to the moment of the end, and are its own. */
async function desktopUntilItsEnd(sitting, { no, began_at }) {
  const clip = await clipOf(sitting, no, { screen: true })
  const shown = (await clip.screen.pictures()).filter(({ at }) => at < began_at + CLOCKS_MS)
  assert(shown.length > 5 && motion(shown) > 1, `${shown.length} pictures, ${motion(shown)}`)
  assert(shown.at(-1).at > began_at - LAST_PICTURE_MS, `${shown.map(({ at }) => at - began_at)}`)
  const [beside] = await clip.pictures()
  assert(apart(shown[0].points, beside.points) > 10, 'the clip of the screen shows the screen')
}

/** Somebody moves the webcam's handle to a moment that both have: the screen shows the same one. */
async function inStep(seat, { from, to, screen }) {
  const video = seat.at('clip-video').first()
  await until('the clip can be played', () => video.evaluate(element => element.readyState >= 2), 30_000)
  const at = ((Math.max(from, screen.from) + Math.min(to, screen.to)) / 2 - from) / 1_000
  await video.evaluate((element, at) => { element.currentTime = at }, at)
  await until('the screen of the moment of the clip', () => seat.at('clip-screen').first().evaluate((element, wanted) =>
    !element.seeking && element.readyState >= 2 && element.videoWidth > 0 && Math.abs(element.currentTime - wanted) < 0.5, at + (from - screen.from) / 1_000), 30_000)
}

exam('the screen: named in the consent, the whole one or none, watched, recorded, and missed when it is ended',
  { screen: true, patienceMs: 240_000 }, async sitting => {
    const { candidate, proctor, demo, info } = sitting
    await reachable(candidate.page)
    await candidate.at('screen-need').waitFor()
    await candidate.bind()
    await candidate.chooseLanguage()
    await candidate.at('consent-screen').waitFor()
    await lookInBoth(candidate.page, 'candidate/consent-screen')
    await candidate.consent()

    await candidate.page.evaluate(() => { globalThis.choice = 'window' })
    await candidate.at('device-allow').click()
    await candidate.at('share-screen').click()
    await candidate.at('screen-trouble').waitFor()
    assert(await candidate.at('device-next').isDisabled(), 'a window is not enough')
    assert.equal(await candidate.page.evaluate(() => globalThis.wanted.audio), false)
    await lookInBoth(candidate.page, 'candidate/device-window')
    await candidate.page.evaluate(() => { globalThis.choice = 'whole' })
    await candidate.at('share-screen').click()
    await candidate.page.locator('[data-testid=check-screen][data-ok=true]').waitFor({ timeout: 60_000 })
    await lookInBoth(candidate.page, 'candidate/device-shared')
    await candidate.at('device-next').click()
    await candidate.screen('photos')
    await candidate.sendPhotos()
    await proctor.openPanel(info.candidate)
    await proctor.at('screen-toggle').click()
    await moving(proctor.at('screen-video'))
    await proctor.seesAndHears()
    await proctor.admit()
    await candidate.readTexts()
    await candidate.begin()
    const answers = await candidate.answerAll({ to: 1, right: 1 })
    await lookInBoth(proctor.page, 'proctor/screen')

    // The way to the server breaks: what follows goes on in the same places.
    await candidate.page.reload()
    await candidate.screen('exam', 60_000)
    await candidate.at('screen-ask').waitFor()
    await lookInBoth(candidate.page, 'candidate/screen-again')
    await proctor.at('screen-gone').waitFor({ timeout: 60_000 })
    await candidate.at('share-screen').click()
    await candidate.at('screen-ask').waitFor({ state: 'detached' })
    await proctor.at('screen-gone').waitFor({ state: 'detached', timeout: 60_000 })
    await moving(proctor.at('screen-video'))
    assert.deepEqual((await sitting.detail()).incidents, [], 'a reload is technical')

    // Ended by hand, asked for, refused: it confirms itself, and its clip is there.
    await candidate.page.evaluate(() => { globalThis.choice = 'cancel'; globalThis.endShare() })
    await candidate.at('screen-ask').waitFor()
    await lookInBoth(candidate.page, 'candidate/screen-ended')
    await candidate.at('share-screen').click()
    await candidate.at('warning').waitFor({ timeout: 60_000 })
    const incident = (await sitting.detail()).incidents.find(({ code }) => code === 'SCREEN_SHARE_ENDED')
    assert.deepEqual([incident.class, incident.source, incident.status, incident.consequence], ['auto', 'client', 'confirmed_auto', 'warning'])
    // Both pictures of it side by side, while it is fresh and nobody has kept them yet.
    const fresh = await bothPictures(await sitting.centre(), info.session)
    assert(fresh.screen.from <= fresh.began_at && fresh.screen.to > fresh.from, JSON.stringify(fresh))
    await candidate.page.evaluate(() => { globalThis.choice = 'whole' })
    await candidate.acknowledgeWarning()
    await candidate.at('share-screen').click()
    await candidate.at('screen-ask').waitFor({ state: 'detached' })
    await moving(proctor.at('screen-video'))
    await desktopUntilItsEnd(sitting, incident)
    await candidate.allSaved()
    await candidate.handIn()
    await candidate.end()
    assert.deepEqual(await sitting.sealedAnswers(), answers)
    const evidence = await sitting.sealedEvidence()
    const kept = ['webcam-0001.webm', 'screen-0001.webm', 'screen-0002.webm', 'clip-0001.webm', 'clip-0001-screen.webm']
    for (const name of kept) assert(evidence.includes(name), `${name} in ${evidence}`)
    const { events } = JSON.parse(await sitting.bundle())
    assert(events.some(({ kind, body }) => kind === 'evidence_checkpoint' && body.fact.name.startsWith('screen-')))
    assert.equal(events.find(({ kind }) => kind === 'consent_given').body.fact.text_version.endsWith('-screen'), true)

    // Both pictures on one line of time.
    const view = await (await sitting.centre()).json(`/api/v1/playback/${info.session}`)
    assert.deepEqual(view.tracks.map(({ kind }) => kind), ['webcam', 'screen'])
    const commission = await sitting.seat(Centre.open(demo, { lang: 'kk', account: demo.links.commission }))
    await commission.openRecord(info.candidate)
    await commission.at('open-playback').click()
    const player = new Player(commission.page)
    await player.ready()
    const part = view.tracks[1].parts[0]
    await player.seek(part.at + part.ms / 2)
    const shown = await until('the screen of that moment', () => commission.at('playback-screen').evaluate((video, name) =>
      video.dataset.name === name && !video.seeking && video.readyState >= 2 && { time: video.currentTime, width: video.videoWidth }, part.name), 30_000)
    assert(Math.abs(shown.time * 1_000 - part.ms / 2) < 1_500 && shown.width > 0, JSON.stringify(shown))
    await lookInBoth(commission.page, 'commission/screen-playback')
    const clip = await bothPictures(await sitting.centre(), info.session)
    assert.deepEqual([clip.name, clip.screen.name], ['clip-0001.webm', 'clip-0001-screen.webm'])
    await commission.at('show-clip').first().click()
    await inStep(commission, clip)
    await lookInBoth(commission.page, 'commission/screen-clip')
  })

exam('a programme without the screen never asks for it', { flags: [DESKTOP] }, async ({ candidate }) => {
  await reachable(candidate.page)
  await candidate.at('begin-device').waitFor()
  assert.equal(await candidate.at('screen-need').count(), 0)
  await candidate.bind()
  await candidate.chooseLanguage()
  assert.equal(await candidate.at('consent-screen').count(), 0)
  await candidate.consent()
  await candidate.checkDevice()
  assert.equal(await candidate.at('check-screen').count(), 0)
  assert.equal(await candidate.page.evaluate(() => globalThis.wanted), undefined)
})
