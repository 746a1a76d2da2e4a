// Many candidates out of one browser page: each bound, in contact, and publishing a small slow picture, so that the wall has
// a fresh still of everybody and the machine is left to whoever is measured.
import { launch, openWindow } from '../../support/chromium.mjs'

/** As the page of a candidate says it (candidate/src/text.ts). */
const CONSENT_VERSION = 'consent-2'

export class Crowd {
  /** Of these links; ready when everybody has a connection. */
  static async open(links) {
    const crowd = new Crowd()
    crowd.browser = await launch()
    crowd.page = await openWindow(crowd.browser)
    await crowd.page.goto(new URL('/healthz', links[0]).href)
    const paths = links.map(link => new URL(link).pathname.split('/').pop())
    await crowd.page.evaluate(join, { links: paths, version: CONSENT_VERSION })
    return crowd
  }

  async close() {
    await this.browser.close()
  }
}

/** Runs in the page. */
async function join({ links, version }) {
  const api = '/api/v1/candidate'
  const asked = async (path, init) => {
    const response = await fetch(api + path, { method: 'POST', ...init })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return response
  }
  const json = async (path, body, headers = {}) =>
    (await asked(path, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } })).json()
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 })
  const brush = canvas.getContext('2d')
  const [picture] = canvas.captureStream(2).getVideoTracks()
  setInterval(() => {
    brush.fillStyle = `hsl(${Date.now() / 50 % 360} 50% 50%)`
    brush.fillRect(0, 0, canvas.width, canvas.height)
  }, 500)

  const audio = new AudioContext()
  const room = audio.createMediaStreamDestination()
  const [sound] = room.stream.getAudioTracks()

  async function enter(link) {
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    const tab = crypto.randomUUID()
    const { session } = await json('/bind', { link, device_key: key, tab })
    const headers = { Authorization: `Bearer ${session}.${key}` }
    const { ticket } = await json('/ticket', { tab }, headers)
    await consent(new WebSocket(`ws://${location.host}${api}/socket?ticket=${encodeURIComponent(ticket)}`))
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
    peer.addTransceiver(picture, { direction: 'sendonly', sendEncodings: [{ maxBitrate: 50_000, maxFramerate: 2 }] })
    peer.addTransceiver(sound, { direction: 'sendonly' })
    const offer = await peer.createOffer()
    const answer = await asked('/whip', { body: offer.sdp, headers: { ...headers, 'Content-Type': 'application/sdp' } })
    await peer.setLocalDescription(offer)
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
    await new Promise(done => {
      const look = () => peer.connectionState === 'connected' && done()
      peer.onconnectionstatechange = look
      look()
    })
    return peer
  }

  function consent(socket) {
    let [epoch, seq, n] = [null, 0, 0]
    const steps = [{ do: 'choose_language', lang: 'ru' }, { do: 'consent', text_version: version, lang: 'ru' }]
    const next = () => socket.send(JSON.stringify({ type: 'command', client_seq: ++seq, epoch, client_at: Date.now(), command: steps.shift() }))
    setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ type: 'ping', n: n++ })), 5_000)
    return new Promise((done, fail) => {
      socket.onclose = () => fail(new Error('the socket was closed'))
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data)
        if (frame.type === 'refused') fail(new Error(data))
        if (frame.type === 'welcome') epoch = frame.epoch
        if (frame.type !== 'welcome' && frame.type !== 'ack') return
        if (steps.length > 0) next()
        else done()
      }
    })
  }

  globalThis.peers = []
  for (const link of links) globalThis.peers.push(await enter(link))
}
