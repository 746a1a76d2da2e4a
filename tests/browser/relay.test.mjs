// A network that lets neither UDP nor TCP through to the media port: both pages go over the relay that the answers name.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'

/** From now on the page's connections may take nothing but a relay. */
async function relayedOnly(page) {
  await page.addInitScript(() => {
    const Plain = RTCPeerConnection
    const only = configuration => ({ ...configuration, iceTransportPolicy: 'relay' })
    globalThis.peers = []
    globalThis.RTCPeerConnection = class extends Plain {
      constructor(configuration) {
        super(only(configuration))
        globalThis.peers.push(this)
      }

      setConfiguration(configuration) {
        super.setConfiguration(only(configuration))
      }
    }
  })
  await page.reload()
}

/** How the page's media reaches the server: `relay`, once it does. */
const way = page => until('a connection', () => page.evaluate(async () => {
  for (const peer of globalThis.peers.filter(peer => peer.connectionState === 'connected')) {
    const all = [...(await peer.getStats()).values()]
    const pair = all.find(entry => entry.type === 'candidate-pair' && entry.nominated)
    const local = all.find(entry => entry.id === pair?.localCandidateId)
    if (local) return local.candidateType
  }
}), 60_000)

exam('candidate and proctor see each other over the relay alone', { relay: true }, async ({ candidate, proctor, info }) => {
  await relayedOnly(candidate.page)
  await relayedOnly(proctor.page)
  await candidate.bind()
  await candidate.chooseLanguage()
  await candidate.consent()
  await candidate.checkDevice()
  assert.equal(await way(candidate.page), 'relay')
  await proctor.openPanel(info.candidate)
  await proctor.seesAndHears()
  assert.equal(await way(proctor.page), 'relay')
})
