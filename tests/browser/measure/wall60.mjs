// What a wall of sixty costs the proctor's machine: stills of all, live pictures of the four who wait for a ruling. CPU of
// the proctor's browser and the size of its page's heap over the run. Prints JSON. MINUTES=30 is the figure's own run.
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../support/demo.mjs'
import { Sitting } from '../sitting.mjs'
import { Candidate } from '../seat/candidate.mjs'
import { Proctor } from '../seat/proctor.mjs'
import { Crowd } from './crowd.mjs'
import { cpuSeconds, print } from './figures.mjs'

const MINUTES = Number(process.env.MINUTES ?? 3)
const PLACES = Number(process.env.PLACES ?? 60)
const FLAGGED = 4
/** The heap is looked at this often, rubbish collected first. */
const LOOK_MS = 15_000
const MARK = `--synaq-seat=${process.pid}`
const OPEN_MS = 3_600_000 * 6

const sitting = new Sitting({ seats: false })
try {
  await sitting.start()
  const centre = await sitting.centre()
  const { id, links } = await bigSitting(centre)
  for (const link of links.slice(0, FLAGGED)) {
    const candidate = await sitting.seat(Candidate.open(link))
    await candidate.prepare()
  }
  const crowd = await sitting.seat(Crowd.open(links.slice(FLAGGED)))
  const proctor = await sitting.seat(Proctor.open(sitting.demo, { width: 1920, height: 1080, sitting: id, flags: [MARK] }))
  const tiles = proctor.at('tile')
  const videos = tiles.getByTestId('preview-video')
  const live = () => videos.evaluateAll(all => all.filter(video => video.readyState >= 3).length)
  await until('a still of everybody', async () => await tiles.locator('img').count() === PLACES, 120_000)
  await until('the flagged are live', async () => await live() === FLAGGED, 60_000)
  const protocol = await proctor.page.context().newCDPSession(proctor.page)
  const heap = async () => {
    await protocol.send('HeapProfiler.collectGarbage')
    const { usedSize } = await protocol.send('Runtime.getHeapUsage')
    return Math.round(usedSize / 1e5) / 10
  }
  const places = () => tiles.evaluateAll(all => all.map(tile => tile.dataset.session).join())
  const before = await places()
  const [start, began, heaps] = [cpuSeconds(MARK), Date.now(), [await heap()]]
  while (Date.now() - began < MINUTES * 60_000) {
    await pause(Math.min(LOOK_MS, MINUTES * 60_000))
    heaps.push(await heap())
  }
  const seconds = (Date.now() - began) / 1_000
  print({
    what: 'the proctor\u2019s browser with a wall of stills and a few live pictures',
    places: PLACES,
    live_pictures: await live(),
    minutes: MINUTES,
    cores: Math.round((cpuSeconds(MARK) - start) / seconds * 1_000) / 1_000,
    heap_mb: heaps,
    places_stable: before === await places(),
    publishers_connected: await crowd.page.evaluate(() => globalThis.peers.filter(peer => peer.connectionState === 'connected').length) + FLAGGED,
  })
} finally {
  await sitting.stop()
}

/** A sitting of the demo's programme with so many candidates. */
async function bigSitting(centre) {
  const [{ programme }] = await centre.json('/api/v1/centre/programmes')
  const now = Date.now()
  const { sitting: id } = await centre.post('/api/v1/centre/sittings', 'application/json',
    JSON.stringify({ title: 'Wall', programme, opens_at: now - 60_000, closes_at: now + OPEN_MS }))
  const rows = Array.from({ length: PLACES }, (_, n) => `Кандидат ${String.fromCodePoint(0x0410 + n % 30)}${Math.floor(n / 30) + 1};KZ:N${String(1_000_000 + n)}`)
  await centre.post(`/api/v1/centre/sittings/${id}/candidates`, 'text/csv', ['ФИО;ИИН', ...rows, ''].join('\n'))
  const { candidates } = await centre.json(`/api/v1/centre/sittings/${id}`)
  return { id, links: candidates.map(({ link }) => link) }
}
