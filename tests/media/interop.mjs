// Real Chromium against the media service: one browser publishes, another watches, the publisher is replaced and the
// viewer stays, TCP works, recordings and stills decode. Every expectation ends the process with code 1 when it fails.
//
//   node tests/media/interop.mjs INTEROP-BINARY FOLDER
//
// INTEROP-BINARY: cargo build -p synaq-media --example interop. FOLDER: empty, takes the recordings.
// PLAYWRIGHT_FROM: a folder whose node_modules holds playwright-core (default: exam-client). CHROMIUM: its path.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Service, launch } from './service.mjs'

/** CPU time of one publisher is read at both ends of this: a measurement, not a wait for something. */
const WINDOW_MS = 10_000
/** Figures a status must be made of before it says anything: it is of the last second. */
const PICTURES_BEFORE_JUDGING = 60

const service = await Service.start()
const { base, folder } = service
const json = path => service.json(path)
const until = (...what) => service.until(...what)
const newPage = browser => service.page(browser)

// Runs in the page.
async function publish({ session, tcp, screen }) {
  const started = performance.now()
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { width: 640, height: 480, frameRate: 12 }, audio: true,
  })
  const media = performance.now()
  const pc = new RTCPeerConnection()
  window.pc = pc
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly' })
  const video = pc.addTransceiver(stream.getVideoTracks()[0], {
    direction: 'sendonly', sendEncodings: [{ maxBitrate: 300_000, maxFramerate: 12 }],
  })
  window.video = video
  if (screen) {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = 100
    canvas.getContext('2d').fillRect(0, 0, 50, 50)
    window.screenLine = pc.addTransceiver(canvas.captureStream(5).getVideoTracks()[0], { direction: 'sendonly' })
  }
  await pc.setLocalDescription()
  const response = await fetch(`/whip/${session}`, { method: 'POST', body: pc.localDescription.sdp })
  if (response.status !== 201) throw new Error(await response.text())
  window.resource = response.headers.get('location')
  let sdp = await response.text()
  if (tcp) sdp = sdp.split('\r\n').filter(line => !/^a=candidate:.* udp /i.test(line)).join('\r\n')
  await pc.setRemoteDescription({ type: 'answer', sdp })
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not connected: ${pc.connectionState}`)), 10_000)
    const look = () => pc.connectionState === 'connected' && (clearTimeout(timer), resolve())
    pc.onconnectionstatechange = look
    look()
  })
  return { getUserMedia: media - started, connected: performance.now() - media, answer: sdp }
}

// Runs in the page.
async function watch({ session, patience }) {
  const started = performance.now()
  const pc = new RTCPeerConnection()
  window.pc = pc
  const stream = new MediaStream()
  pc.ontrack = event => stream.addTrack(event.track)
  pc.addTransceiver('audio', { direction: 'recvonly' })
  pc.addTransceiver('video', { direction: 'recvonly' })
  await pc.setLocalDescription()
  const response = await fetch(`/whep/${session}`, { method: 'POST', body: pc.localDescription.sdp })
  if (response.status !== 201) throw new Error(await response.text())
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  const video = document.querySelector('video')
  video.srcObject = stream
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no picture: ${pc.connectionState}`)), patience)
    video.requestVideoFrameCallback(() => (clearTimeout(timer), resolve()))
  })
  return { firstFrame: performance.now() - started }
}

// Runs in the page: figures of the received or sent media.
async function figures() {
  const out = {}
  for (const report of (await window.pc.getStats()).values()) {
    if (report.type === 'inbound-rtp' || report.type === 'outbound-rtp') {
      const { framesDecoded, framesEncoded, keyFramesEncoded, pliCount, nackCount, packetsLost, packetsReceived,
        bytesSent, freezeCount, totalAudioEnergy, frameWidth } = report
      out[`${report.type}-${report.kind}`] = { framesDecoded, framesEncoded, keyFramesEncoded, pliCount, nackCount,
        packetsLost, packetsReceived, bytesSent, freezeCount, totalAudioEnergy, frameWidth }
    }
  }
  return out
}

// CPU seconds and resident KiB of the server (Linux).
const usage = () => {
  const fields = readFileSync(`/proc/${service.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: Number(resident[1]) }
}

const numbers = {}
const browsers = []
try {
  const session = randomUUID()
  const seen = text => async () => (await json('/facts')).filter(line => line.includes(session) && line.includes(text))
  const times = (text, count) => async () => (await seen(text)()).length >= count
  // The n-th publisher is connected, and the newest word on what flows is: both.
  const flows = n => async () => {
    const connected = await times('PublisherConnected', n)()
    const told = await seen('Flow {')()
    return connected && told.at(-1)?.includes('video: true, audio: true')
  }
  const [first, viewerBrowser, second] = await Promise.all([launch(), launch(), launch()])
  browsers.push(first, viewerBrowser, second)

  const idle = usage()

  // Chromium in.
  const publisher = await newPage(first)
  const published = await publisher.evaluate(publish, { session })
  numbers.publish_connected_ms = Math.round(published.connected)
  assert.match(published.answer, /VP8/)
  assert.doesNotMatch(published.answer, /VP9|H264|AV1/)
  await until('video and audio flow', flows(1))

  const encoded = async () => (await publisher.evaluate(figures))['outbound-rtp-video'].framesEncoded
  await until('the encoder runs evenly', async () => await encoded() > 20)
  const start = usage()
  await pause(WINDOW_MS)
  const end = usage()
  numbers.one_publisher = { cpu_percent: Math.round((end.cpu - start.cpu) / WINDOW_MS * 1e6) / 10, rss_added_kib: end.rss - idle.rss }

  // A second Chromium out.
  const viewer = await newPage(viewerBrowser)
  numbers.viewer_first_frame_ms = Math.round((await viewer.evaluate(watch, { session, patience: 10_000 })).firstFrame)
  const received = async () => (await viewer.evaluate(figures))['inbound-rtp-video'].framesDecoded
  await until('the viewer has seen enough to judge', async () => await received() > PICTURES_BEFORE_JUDGING)
  const status = await json(`/status/${session}`)
  numbers.status = status
  assert.equal(status.video_live, 1)
  assert.equal(status.audio_live, 1)
  assert(status.fps >= 8 && status.fps <= 16, `fps ${status.fps}`)
  assert(status.bitrate_bps < 420_000, `bitrate ${status.bitrate_bps}`)
  assert(status.level !== undefined, 'no RFC 6464 level')
  const before = (await viewer.evaluate(figures))
  numbers.viewer = before
  assert(before['inbound-rtp-audio'].packetsReceived > 200, JSON.stringify(before))
  assert.equal(before['inbound-rtp-video'].packetsLost, 0)
  assert(before['inbound-rtp-audio'].totalAudioEnergy > 0, 'the viewer hears nothing')

  // A viewer that joins late gets a picture soon.
  const late = await newPage(viewerBrowser)
  numbers.late_viewer_first_frame_ms = Math.round((await late.evaluate(watch, { session, patience: 5_000 })).firstFrame)
  assert(numbers.late_viewer_first_frame_ms < 2_000)
  await late.close()
  await until('the closed viewer is noticed', async () => (await json(`/status/${session}`)).viewers === 1)

  // The publisher is replaced, the viewer stays.
  const replacement = await newPage(second)
  const switched = Date.now()
  const count = await received()
  await replacement.evaluate(publish, { session })
  await until('the first publisher is told to go', times('PublisherGone { how: Replaced }', 1))
  await publisher.close()
  const marked = await received()
  await until('the viewer decodes frames of the new publisher', async () => (await received()) > Math.max(count, marked) + 5)
  numbers.replace_to_sixth_frame_ms = Date.now() - switched
  assert.equal(await viewer.evaluate(() => window.pc.connectionState), 'connected')
  await until('the picture goes on', async () => await received() > marked + 25)
  numbers.viewer_after_replacement = await viewer.evaluate(figures)

  // The picture's size changes in mid-stream.
  await replacement.evaluate(async () => {
    const sender = window.video.sender
    const parameters = sender.getParameters()
    parameters.encodings[0].scaleResolutionDownBy = 2
    await sender.setParameters(parameters)
  })
  await until('the smaller picture arrives', async () => (await json(`/status/${session}`)).width === 320)
  const small = await received()
  await until('the viewer sees the smaller one', async () => {
    const { frameWidth, framesDecoded } = (await viewer.evaluate(figures))['inbound-rtp-video']
    return frameWidth === 320 && framesDecoded > small + 25
  })
  numbers.publisher = await replacement.evaluate(figures)

  // A clean close is seen at once.
  const closing = Date.now()
  await replacement.evaluate(() => window.pc.close())
  await until('the close is seen', times('PublisherGone { how: ByPeer }', 1), 2_000)
  numbers.close_seen_ms = Date.now() - closing

  // A crashed browser is stalled first, then lost.
  const third = await launch()
  browsers.push(third)
  const thirdPage = await newPage(third)
  // It offers a second video line too, which is declined.
  await thirdPage.evaluate(publish, { session, screen: true })
  assert.equal(await thirdPage.evaluate(() => window.screenLine.currentDirection), 'inactive')
  await until('the third publisher flows', flows(3))
  // Of its camera alone: the declined line has figures of its own.
  const sent = () => thirdPage.evaluate(async () =>
    [...(await window.video.sender.getStats()).values()].find(({ type }) => type === 'outbound-rtp').framesEncoded)
  await until('it sent enough for a recording of its own', async () => await sent() > 25)
  const crashed = Date.now()
  const stalls = (await seen('Flow { video: false')()).length
  await third.close()
  const noticed = await Promise.race([
    until('stall', times('Flow { video: false', stalls + 1)).then(() => 'stalled'),
    until('close', times('PublisherGone', 3)).then(() => 'gone'),
  ])
  numbers.browser_closed = { noticed, ms: Date.now() - crashed }
  await until('the lost publisher is gone', times('PublisherGone', 3), 15_000)

  // TCP, when UDP is blocked.
  const over = randomUUID()
  const fourth = await launch()
  browsers.push(fourth)
  const page = await newPage(fourth)
  numbers.tcp_connected_ms = Math.round((await page.evaluate(publish, { session: over, tcp: true })).connected)
  const tcpStatus = await until('media over TCP', async () => {
    const status = await json(`/status/${over}`)
    return status.tcp === 1 && status.video_live === 1 && status.fps > 5 && status
  })
  numbers.tcp_status = tcpStatus
  assert.equal((await fetch(base + (await page.evaluate(() => window.resource)), { method: 'DELETE' })).status, 204)
  await until('the browser is told', () => page.evaluate(() => window.video.sender.transport.state === 'closed'))
  await until('the WHIP resource is gone', async () =>
    (await json('/facts')).some(line => line.includes(over) && line.includes('ByServer')))

  // The still is a picture.
  const still = await fetch(`${base}/still/${session}`)
  const picture = join(folder, 'still.webp')
  writeFileSync(picture, Buffer.from(await still.arrayBuffer()))
  numbers.still_bytes = readFileSync(picture).length
  execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-i', picture, '-f', 'null', '-'])

  // Every recording decodes without a complaint, with sound and picture.
  const segments = readdirSync(join(folder, session)).filter(name => name.endsWith('.webm')).sort()
  assert.equal(segments.length, 3, segments.join())
  numbers.segments = {}
  for (const name of segments) {
    const file = join(folder, session, name)
    const complaints = execFileSync('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-'], { stdio: ['ignore', 'pipe', 'pipe'] })
    assert.equal(complaints.toString(), '')
    const probe = type => JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-count_packets', '-select_streams', type,
      '-show_entries', 'stream=codec_name,nb_read_packets,start_time', '-of', 'json', file])).streams[0]
    const [video, audio] = [probe('v'), probe('a')]
    assert.deepEqual([video.codec_name, audio.codec_name], ['vp8', 'opus'])
    numbers.segments[name] = { video: video.nb_read_packets, audio: audio.nb_read_packets, starts: [video.start_time, audio.start_time] }
  }
  const main = numbers.segments['webcam-0001.webm']
  assert(main.video >= 100 && main.audio >= 300, JSON.stringify(main))

  // ... and plays in a browser.
  const file = readFileSync(join(folder, session, 'webcam-0002.webm')).toString('base64')
  numbers.played = await viewer.evaluate(async base64 => {
    const video = document.querySelector('video')
    video.srcObject = null
    video.src = URL.createObjectURL(await (await fetch(`data:video/webm;base64,${base64}`)).blob())
    await video.play()
    await new Promise((resolve, reject) => { video.onended = resolve; video.onerror = () => reject(video.error) })
    return { seconds: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames }
  }, file)
  assert(numbers.played.frames > 20, JSON.stringify(numbers.played))
  numbers.stats = await (await fetch(`${base}/stats`)).text()
  console.log(JSON.stringify(numbers, null, 1))
  console.log((await json('/facts')).join('\n'))
} finally {
  await Promise.allSettled(browsers.map(browser => browser.close()))
  service.stop()
}
