// The proctor's wall: live pictures of those in view, and no cost when nobody looks.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'
import { Candidate } from './seat/candidate.mjs'

/** From now on the page's connections can be asked what they receive. */
function keepPeers() {
  globalThis.peers = []
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args)
      globalThis.peers.push(this)
    }
  }
}

/** Runs in the page: pictures, or packets of sound, that each connection received within a second. */
async function receivedOf(kind) {
  const live = globalThis.peers.filter(peer => peer.connectionState === 'connected')
  const count = async peer => [...(await peer.getStats()).values()]
    .filter(entry => entry.type === 'inbound-rtp' && entry.kind === kind)
    .reduce((sum, entry) => sum + (kind === 'video' ? entry.framesReceived ?? 0 : entry.packetsReceived), 0)
  const before = await Promise.all(live.map(count))
  await new Promise(done => setTimeout(done, 1_000))
  return (await Promise.all(live.map(count))).map((now, index) => now - before[index])
}

exam('the wall shows live pictures of the candidates in view, none while the page is hidden, and stills beneath', {}, async sitting => {
  const { candidate, proctor, demo } = sitting
  await proctor.page.addInitScript(keepPeers)
  await proctor.page.reload()
  const second = await sitting.seat(Candidate.open(demo.links.candidate_links[1], { lang: 'ru' }))
  for (const seat of [candidate, second]) {
    await seat.bind()
    await seat.chooseLanguage()
    await seat.consent()
    await seat.at('device-allow').click()
  }
  const videos = proctor.at('tile').getByTestId('preview-video')
  const moving = () => videos.evaluateAll(all => all.filter(video => video.readyState >= 3 && !video.paused).length)
  await until('two live pictures', async () => await moving() === 2, 60_000)
  assert.equal(await proctor.page.locator('[data-testid=tile][data-live=true]').count(), 2)
  // The one whose panel is opened keeps its place and its connection.
  const [offers, sizes] = [[], []]
  const path = request => new URL(request.url()).pathname
  proctor.page.on('request', request => path(request).endsWith('/whep') && offers.push(request.url()))
  proctor.page.on('request', request => request.method() === 'PUT' && sizes.push(new URL(request.url()).search))
  await proctor.openPanel(sitting.info.candidate)
  await proctor.at('live-video').waitFor()
  // A tile has no sound; whoever opens it has it, on the same connection.
  const received = async kind => (await proctor.page.evaluate(receivedOf, kind)).sort((a, b) => a - b)
  await until('sound for one', async () => {
    const [less, more] = await received('audio')
    return less === 0 && more > 20
  }, 60_000)
  assert.deepEqual([offers, sizes], [[], ['?size=whole']], 'the panel shares the connection of the tile')
  await proctor.page.keyboard.press('Escape')
  await until('a tile again', async () => Math.max(...await received('audio')) === 0, 60_000)
  assert.deepEqual(sizes, ['?size=whole', '?size=small'])
  const ended = []
  proctor.page.on('request', request => request.method() === 'DELETE' && ended.push(request.url()))
  await proctor.hide()
  await until('both are let go', () => ended.length === 2)
  assert.equal(await videos.count(), 0)
  assert.equal(await proctor.at('tile').locator('img').count(), 2, 'stills go on')
  await proctor.show()
  await until('two live pictures again', async () => await moving() === 2, 60_000)
})

exam('a tile out of view has no live picture', {}, async sitting => {
  const { candidate, proctor } = sitting
  await candidate.bind()
  await candidate.chooseLanguage()
  await candidate.consent()
  await candidate.at('device-allow').click()
  const live = proctor.page.locator('[data-testid=tile][data-live=true]')
  await live.waitFor({ timeout: 60_000 })
  // As with a wall so long that the tile is two screens further down, however high the letters of this machine are.
  await proctor.page.evaluate(() => { document.body.style.paddingTop = '200vh' })
  await live.waitFor({ state: 'detached' })
  await proctor.at('tile').first().scrollIntoViewIfNeeded()
  await live.waitFor()
})

exam('a device that runs low on its battery says so on its tile, and one that is charged again does not', {}, async sitting => {
  const { candidate, proctor } = sitting
  await candidate.page.addInitScript(() => {
    globalThis.battery = { level: 0.12, charging: false }
    navigator.getBattery = () => Promise.resolve(globalThis.battery)
  })
  await candidate.page.reload()
  await sitting.reachExam()
  await proctor.page.keyboard.press('Escape')
  const battery = proctor.tile(sitting.info.candidate).getByTestId('tile-battery')
  await battery.waitFor({ timeout: 60_000 })
  assert.match(await battery.innerText(), /12 %/)
  await candidate.page.evaluate(() => {
    globalThis.battery.charging = true
    globalThis.battery.onchargingchange()
  })
  await battery.waitFor({ state: 'detached', timeout: 60_000 })
})
