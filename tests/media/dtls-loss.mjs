// Chromium behind a line that loses chosen DTLS packets: the handshake must come up and media flow, whichever packet
// of it is lost. Guards the remedy in server/media/src/demux.rs (`Handshake`).
//
//   node tests/media/dtls-loss.mjs INTEROP-BINARY FOLDER        (see interop.mjs)
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

// Two retransmissions of one second each, and a browser's start on a busy machine.
const PATIENCE_MS = 6_000

const [binary, folder] = process.argv.slice(2)
assert(binary && folder, 'usage: dtls-loss.mjs INTEROP-BINARY FOLDER')
const from = process.env.PLAYWRIGHT_FROM ?? new URL('../../exam-client/', import.meta.url).pathname
const { chromium } = createRequire(join(from, 'package.json'))('playwright-core')
mkdirSync(folder, { recursive: true })

const server = spawn(binary, [folder], { stdio: ['ignore', 'pipe', 'inherit'] })
const base = await new Promise((resolve, reject) => {
  createInterface({ input: server.stdout }).once('line', resolve)
  server.once('exit', code => reject(new Error(`the server ended with ${code}`)))
})

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

async function trial(browser, direction, lost) {
  const session = randomUUID()
  const line = await relay(direction, lost)
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(base)
    await page.exposeFunction('setServerPort', line.setServerPort)
    await page.evaluate(publish, { session, port: line.port })
    const start = Date.now()
    for (;;) {
      const status = await (await fetch(`${base}/status/${session}`)).json()
      if (status.connected && status.video_live && status.audio_live) break
      assert(Date.now() - start < PATIENCE_MS, `${direction}, lost ${lost}: no media within ${PATIENCE_MS} ms`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    assert.equal(line.losses(), lost.length, `${direction}: the packets ${lost} were to be lost`)
    return Date.now() - start
  } finally {
    await context.close()
    line.close()
  }
}

let browser
try {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
  })
  const trials = [
    ['to server', []], ['to server', [0]], ['to server', [1]], ['to server', [0, 1, 2]],
    ['to browser', [0]], ['to browser', [1]], ['to browser', [0, 2]], ['to browser', [1, 2]],
  ]
  for (const [direction, lost] of trials) {
    console.log(`${direction}, lost [${lost}]: media after ${await trial(browser, direction, lost)} ms`)
  }
} finally {
  await browser?.close()
  server.kill('SIGINT')
}
