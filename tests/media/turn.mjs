// A candidate whose network lets only the relay through: Chromium publishes over coturn with the short-lived credential
// that the answer to its offer carries (RFC 9725, section 4.6), and a guessed one opens nothing.
//
//   node tests/media/turn.mjs INTEROP-BINARY FOLDER
//
// Environment as for interop.mjs; `turnserver` is on the path.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { Relay } from '../support/relay.mjs'
import { Service, launch } from './service.mjs'

/** Runs in the page: publishes over the relay alone. */
async function publish({ session, spoil }) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 }, audio: true })
  const pc = new RTCPeerConnection({ iceTransportPolicy: 'relay' })
  window.pc = pc
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: 'sendonly' })
  // Nothing is gathered before the answer has named the relay, and the server wants no candidates.
  const offer = await pc.createOffer()
  const response = await fetch(`/whip/${session}`, { method: 'POST', body: offer.sdp })
  if (response.status !== 201) throw new Error(await response.text())
  const link = response.headers.get('link')
  const [, urls, username, credential] =
    /^<(.+?)>; rel="ice-server"; username="(.+?)"; credential="(.+?)"; credential-type="password"$/.exec(link)
  pc.setConfiguration({
    iceTransportPolicy: 'relay',
    iceServers: [{ urls, username, credential: spoil ? 'guessed' : credential }],
  })
  const refused = new Promise(resolve => pc.addEventListener('icecandidateerror', event => resolve(event.errorCode)))
  await pc.setLocalDescription(offer)
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  const connected = new Promise(resolve => {
    const look = () => pc.connectionState === 'connected' && resolve('connected')
    pc.addEventListener('connectionstatechange', look)
    look()
  })
  return { link: { urls, username, credential }, outcome: await (spoil ? refused : connected) }
}

const service = await Service.start({ more: relay => ['0', '127.0.0.1:0', relay.url, relay.secret], relay: folder => Relay.start(folder) })
const { turn } = service
try {
  await service.until('the relay listening', () => turn.isUp, 60_000)
  const browser = await launch()
  try {
    const session = randomUUID()
    const page = await service.page(browser)
    const { link, outcome } = await page.evaluate(publish, { session })
    assert.equal(outcome, 'connected')
    const [until] = link.username.split(':')
    assert.ok(Number(until) > Date.now() / 1_000, 'it has not ended yet')
    assert.equal(link.credential, createHmac('sha1', turn.secret).update(link.username).digest('base64'))
    await service.until('picture and sound over the relay', async () => {
      const status = await service.status(session)
      return status.video_live && status.audio_live
    }, 60_000)
    const kind = await page.evaluate(async () => {
      const all = [...(await window.pc.getStats()).values()]
      const pair = all.find(entry => entry.type === 'candidate-pair' && entry.nominated)
      return all.find(entry => entry.id === pair.localCandidateId).candidateType
    })
    assert.equal(kind, 'relay')
    const stranger = await service.page(browser)
    const refused = await stranger.evaluate(publish, { session: randomUUID(), spoil: true })
    assert.equal(refused.outcome, 401, 'a guessed credential is refused')
    assert.notEqual(refused.link.username, link.username, 'everybody gets a credential of their own')
  } finally {
    await browser.close()
  }
} catch (error) {
  console.error(turn.said)
  throw error
} finally {
  service.stop()
  turn.stop()
}
console.log('turn: ok')
