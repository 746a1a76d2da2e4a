// What the live pictures of the wall cost the proctor's machine: CPU of the proctor's browser with all candidates
// publishing, first with live pictures, then with stills alone. Prints JSON.
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../support/demo.mjs'
import { Sitting } from '../sitting.mjs'
import { Candidate } from '../seat/candidate.mjs'
import { Proctor } from '../seat/proctor.mjs'
import { cpuSeconds, print } from './figures.mjs'

/** CPU time is read at both ends of this. */
const WINDOW_S = Number(process.env.WINDOW_S ?? 15)

/** By it the browser is found among the processes. */
const MARK = `--synaq-seat=${process.pid}`

const sitting = new Sitting({ seats: false })
try {
  await sitting.start()
  const links = sitting.demo.links.candidate_links
  for (const link of links) {
    const candidate = await sitting.seat(Candidate.open(link))
    await candidate.bind()
    await candidate.chooseLanguage()
    await candidate.consent()
    await candidate.at('device-allow').click()
  }
  const proctor = await sitting.seat(Proctor.open(sitting.demo, { width: 1920, height: 1080, flags: [MARK] }))
  const videos = proctor.at('tile').getByTestId('preview-video')
  const frames = () => videos.evaluateAll(all =>
    all.reduce((sum, video) => sum + video.getVideoPlaybackQuality().totalVideoFrames, 0))
  const live = () => videos.evaluateAll(all => all.filter(video => video.readyState >= 3).length)
  await until('every picture is live', async () => await live() === links.length, 60_000)
  const before = await frames()
  const withPictures = await used()
  const shown = await frames() - before
  await proctor.hide()
  await until('no picture is live', async () => await videos.count() === 0)
  const withStills = await used()
  const cores = (withPictures - withStills) / WINDOW_S
  print({
    what: 'the proctor\u2019s browser with the wall open',
    live_pictures: links.length,
    frames_per_second_each: Math.round(shown / WINDOW_S / links.length * 10) / 10,
    cores_with_live_pictures: rounded(withPictures / WINDOW_S),
    cores_with_stills_alone: rounded(withStills / WINDOW_S),
    cores_per_live_picture: rounded(cores / links.length),
  })

  async function used() {
    const start = cpuSeconds(MARK)
    await pause(WINDOW_S * 1_000)
    return cpuSeconds(MARK) - start
  }
} finally {
  await sitting.stop()
}

function rounded(number) {
  return Math.round(number * 1_000) / 1_000
}
