// Recordings as the commission sees them: with a length, and every place in them can be reached.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'
import { Centre } from './seat/centre.mjs'

/** Longer than the five seconds between key frames, so that there is a place to seek to. */
const RECORDED_S = 8

/** Seconds that the candidate's picture has run at the proctor's. */
const seconds = async proctor => (await proctor.seesAndHears()).time

/** Goes to that second; which second the frame on the screen is then of. */
async function enter(video, second) {
  return video.evaluate((element, second) => new Promise((done, failed) => {
    element.onerror = () => failed(new Error(element.error.message))
    element.requestVideoFrameCallback((_, { mediaTime }) => done(mediaTime))
    element.currentTime = second
  }), second)
}

exam('a recording has a length and can be entered anywhere, also one that a killed server left', {}, async sitting => {
  const { candidate, proctor, demo, info } = sitting
  await sitting.reachExam()
  await until('the first recording is long enough', async () => await seconds(proctor) > RECORDED_S, 60_000)
  await demo.kill()
  await candidate.at('offline').waitFor()
  await demo.restart()
  await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
  await until('the second recording is long enough', async () => await seconds(proctor) > RECORDED_S, 60_000)
  await candidate.handIn()
  await candidate.end()
  await sitting.sealed()
  const centre = await sitting.seat(Centre.open(demo))
  await centre.go(`results/${info.session}`)
  const videos = centre.at('recording').filter({ hasText: 'webcam-' }).locator('video')
  assert.equal(await videos.count(), 2)
  for (const video of await videos.all()) {
    const duration = await until('the length is known', () => video.evaluate(element =>
      Number.isFinite(element.duration) && element.duration > 0 && element.duration))
    assert(duration > RECORDED_S - 3 && duration < 120, `${duration} s`)
    assert.equal(await video.evaluate(element => element.seekable.end(0)), duration)
    // How close the frame is depends on what a busy machine's camera sent; that it is the place's own does not.
    const [late, early] = [await enter(video, duration * 0.75), await enter(video, duration * 0.25)]
    assert(late <= duration * 0.75 + 0.1 && late > early, `${late} s and ${early} s of ${duration} s`)
    assert(early <= duration * 0.25 + 0.1, `${early} s of ${duration} s`)
    await video.evaluate(element => { element.muted = true; element.currentTime = element.duration - 1; return element.play() })
    await until('it plays to its end', () => video.evaluate(element => element.ended))
  }
  // What is played is not what was sealed; that is still there, byte for byte.
  await sitting.sealedEvidence()
})
