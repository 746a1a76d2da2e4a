// Chromium behind a line that loses chosen DTLS packets: the handshake must come up and media flow, whichever packet
// of it is lost. Guards the remedy in server/media/src/demux.rs (`Handshake`).
//
//   node tests/media/dtls-loss.mjs INTEROP-BINARY FOLDER        (see interop.mjs)
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { Service, launch } from './service.mjs'

// Two retransmissions of one second each, and a browser's start on a busy machine.
const PATIENCE_MS = 6_000

// Runs in the page. Publishes through the relay on `port`.
async function publish({ session, port }) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true })
  const pc = new RTCPeerConnection()
  window.pc = pc
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: 'sendonly' })
  await pc.setLocalDescription()
  const response = await fetch(`/whip/${session}`, { method: 'POST', body: pc.localDescription.sdp })
  if (response.status !== 201) throw new Error(await response.text())
  const answer = await response.text()
  const candidate = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+)/im.exec(answer)
  await window.setServerPort(Number(candidate[1]))
  const sdp = answer.split('\r\n').filter(line => !/^a=candidate:.* tcp /i.test(line))
    .map(line => line.replace(/^(a=candidate:\S+ \d udp \d+ \S+) \d+/i, `$1 ${port}`)).join('\r\n')
  await pc.setRemoteDescription({ type: 'answer', sdp })
}

const isDtls = message => message[0] >= 20 && message[0] <= 63

// A relay that loses the DTLS packets number `lost` of one direction.
async function relay(direction, lost) {
  const front = dgram.createSocket('udp4')
  const back = dgram.createSocket('udp4')
  const seen = { 'to server': 0, 'to browser': 0 }
  let browser
  let serverPort
  let losses = 0
  const passes = (way, message) => {
    if (!isDtls(message)) return true
    const number = seen[way]++
    const isLost = way === direction && lost.includes(number)
    losses += isLost
    return !isLost
  }
  front.on('message', (message, sender) => {
    // The system may give us the port of the relay before, to which its page still says goodbye.
    if (serverPort === undefined) return
    browser = sender
    if (passes('to server', message)) back.send(message, serverPort, '127.0.0.1')
  })
  back.on('message', message => {
    if (passes('to browser', message)) front.send(message, browser.port, browser.address)
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    port: front.address().port,
    setServerPort: port => { serverPort = port },
    losses: () => losses,
    close: () => { front.close(); back.close() },
  }
}

async function trial(service, browser, direction, lost) {
  const session = randomUUID()
  const line = await relay(direction, lost)
  const page = await service.page(browser)
  try {
    await page.exposeFunction('setServerPort', line.setServerPort)
    await page.evaluate(publish, { session, port: line.port })
    const start = Date.now()
    await service.until(`media though ${lost} was lost ${direction}`, async () => {
      const status = await service.status(session)
      return status.connected && status.video_live && status.audio_live
    }, PATIENCE_MS)
    assert.equal(line.losses(), lost.length, `${direction}: the packets ${lost} were to be lost`)
    return Date.now() - start
  } finally {
    await page.context().close()
    line.close()
  }
}

const service = await Service.start()
let browser
try {
  browser = await launch()
  const trials = [
    ['to server', []], ['to server', [0]], ['to server', [1]], ['to server', [0, 1, 2]],
    ['to browser', [0]], ['to browser', [1]], ['to browser', [0, 2]], ['to browser', [1, 2]],
  ]
  for (const [direction, lost] of trials) {
    console.log(`${direction}, lost [${lost}]: media after ${await trial(service, browser, direction, lost)} ms`)
  }
} finally {
  await browser?.close()
  service.stop()
}
