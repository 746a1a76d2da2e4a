// Virtual candidates: the real protocol from the personal link to the hand-in, all out of one browser page, each with a small
// slow picture and a quiet sound of its own. What a person would do is told them one act at a time.
import { launch, openWindow } from './chromium.mjs'
import { rightOptions } from './key.mjs'

export class Virtuals {
  /** Of these links, in this order; nobody has opened theirs yet. */
  static async open(links) {
    const virtuals = new Virtuals()
    virtuals.browser = await launch()
    virtuals.page = await openWindow(virtuals.browser)
    await virtuals.page.goto(new URL('/healthz', links[0]).href)
    const paths = links.map(link => new URL(link).pathname.split('/').pop())
    await virtuals.page.evaluate(play, { links: paths, right: rightOptions() })
    virtuals.count = links.length
    return virtuals
  }

  /** What `which` of them (from 0) makes of one act. */
  async one(which, act, ...how) {
    return this.page.evaluate(([which, act, how]) => globalThis.virtuals[which][act](...how), [which, act, how])
  }

  /** All but `except`, at once. */
  async all(act, { how = [], except = [] } = {}) {
    const which = Array.from({ length: this.count }, (_, index) => index).filter(index => !except.includes(index))
    return Promise.all(which.map(index => this.one(index, act, ...how)))
  }

  async close() {
    await this.browser.close()
  }
}

/** Runs in the page. */
async function play({ links, right }) {
  const api = '/api/v1/candidate'
  const TEXTS = ['methodology', 'appeal_procedure', 'forbidden_items', 'conduct']
  const VERSION = 'virtual-1'
  const [WIDTH, HEIGHT, FRAMES, BITS] = [320, 240, 2, 50_000]
  const PING_MS = 5_000
  const key = new Map(right)
  const plain = text => text.normalize('NFC').replace(/\s+/g, ' ').trim()

  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
  const brush = canvas.getContext('2d')
  const paint = () => {
    brush.fillStyle = `hsl(${Date.now() / 50 % 360} 40% 50%)`
    brush.fillRect(0, 0, WIDTH, HEIGHT)
    brush.fillStyle = '#e0b090'
    brush.beginPath()
    brush.ellipse(WIDTH / 2 + Date.now() / 200 % 12, HEIGHT / 2, 46, 60, 0, 0, 7)
    brush.fill()
  }
  paint()
  setInterval(paint, 1_000 / FRAMES)
  const [picture] = canvas.captureStream(FRAMES).getVideoTracks()
  const audio = new AudioContext()
  const [room, tone, quiet] = [audio.createMediaStreamDestination(), audio.createOscillator(), audio.createGain()]
  quiet.gain.value = 0.01
  tone.connect(quiet).connect(room)
  tone.start()
  const [sound] = room.stream.getAudioTracks()
  const photo = await new Promise(done => canvas.toBlob(done, 'image/jpeg'))

  const asked = async (method, path, headers, body) => {
    const response = await fetch(api + path, { method, headers, body })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return response
  }
  const JSON_TYPE = { 'Content-Type': 'application/json' }
  const bytes = () => crypto.getRandomValues(new Uint8Array(32))
  const base64url = raw => btoa(String.fromCharCode(...raw)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

  class Virtual {
    constructor(link, lang) {
      Object.assign(this, { link, lang, tab: crypto.randomUUID(), device: base64url(bytes()), seq: 0, n: 0, waiting: new Set() })
    }

    /** From the link to photos that a proctor looks at. */
    async prepare() {
      const { lang } = this
      const bound = await asked('POST', '/bind', JSON_TYPE, JSON.stringify({ link: this.link, device_key: this.device, tab: this.tab }))
      this.session = (await bound.json()).session
      this.credential = { Authorization: `Bearer ${this.session}.${this.device}` }
      await this.connect()
      await this.command({ do: 'choose_language', lang })
      await this.command({ do: 'consent', text_version: VERSION, lang })
      await this.publish()
      const report = { camera: true, microphone: true, connection: true, round_trip_ms: 1, camera_label: 'virtual', browser: 'virtual', second_screen: false }
      await this.command({ do: 'check_device', report })
      for (const kind of ['face', 'document']) await asked('PUT', `/photos/${kind}`, { ...this.credential, 'Content-Type': 'image/jpeg' }, photo)
      await this.command({ do: 'submit_identity' })
      return this.session
    }

    /** Admitted, the texts are read and the paper is drawn. */
    async read() {
      await this.until(({ steps }) => steps.identity === 'admitted')
      for (const text of TEXTS) await this.command({ do: 'acknowledge', text, text_version: VERSION, lang: this.lang })
      await this.command({ do: 'ready', nonce: [...bytes()].map(byte => byte.toString(16).padStart(2, '0')).join('') })
    }

    /** As soon as the sitting is open and picture and sound flow. */
    async begin() {
      await this.until(({ steps }) => steps.ready)
      await this.command({ do: 'begin' })
      await this.until(({ stage }) => stage === 'running')
    }

    /** Every question, the first `right` of them rightly. */
    async answer(right) {
      for (let index = 0; index < this.view.questions.length; index++) {
        this.socket.send(JSON.stringify({ type: 'question', index }))
        const { text, options } = await this.heard(frame => frame.type === 'question' && frame.question.index === index && frame.question)
        const rightOnes = key.get(plain(text))
        const shown = options.flatMap((option, place) => rightOnes.includes(plain(option)) === index < right ? [place] : [])
        await this.command({ do: 'answer', question: index, shown: index < right ? shown : shown.slice(0, 1) })
      }
    }

    /** What a page would claim of itself. */
    async signal(code, phase) {
      await this.command({ do: 'signal', code, phase, ago_ms: 0 })
    }

    /** Reads the warning when it comes. */
    async acknowledge() {
      const { ordinal } = await this.until(view => view.warning)
      await this.command({ do: 'warning_displayed', ordinal })
      await this.command({ do: 'acknowledge_warning', ordinal })
    }

    async ask_break(why) {
      await this.command({ do: 'ask_break', why })
    }

    async hand_in() {
      await this.command({ do: 'hand_in' })
      await this.command({ do: 'drained' })
      return this.ended()
    }

    /** Why the exam ended, once it has. */
    async ended() {
      const { reason } = await this.until(view => view.end)
      return reason
    }

    /** The stage when it is this one. */
    async stands(stage) {
      await this.until(view => view.stage === stage)
      return this.view.clock
    }

    async connect() {
      const ticket = await asked('POST', '/ticket', { ...JSON_TYPE, ...this.credential }, JSON.stringify({ tab: this.tab }))
      const address = `ws://${location.host}${api}/socket?ticket=${encodeURIComponent((await ticket.json()).ticket)}`
      this.socket = new WebSocket(address)
      this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data))
      setInterval(() => this.socket.readyState === WebSocket.OPEN && this.socket.send(JSON.stringify({ type: 'ping', n: this.n++ })), PING_MS)
      await this.heard(frame => frame.type === 'welcome')
    }

    hear(frame) {
      if (frame.type === 'welcome') this.epoch = frame.epoch
      if (frame.view && frame.view.version >= (this.view?.version ?? 0)) this.view = frame.view
      for (const { listen, fail } of [...this.waiting]) {
        if (frame.type === 'bye') fail(new Error(`the server said goodbye: ${frame.problem.code}`))
        else listen(frame)
      }
    }

    /** What `pick` makes of the first frame that it makes anything of. */
    heard(pick) {
      return new Promise((done, fail) => {
        const waits = { fail, listen: frame => {
          const found = pick(frame)
          if (!found) return
          this.waiting.delete(waits)
          done(found)
        } }
        this.waiting.add(waits)
      })
    }

    /** What `pick` makes of the view, now or later. */
    async until(pick) {
      return (this.view && pick(this.view)) || this.heard(({ view }) => view && pick(this.view))
    }

    async command(command) {
      const client_seq = ++this.seq
      for (;;) {
        const answer = this.heard(frame => (frame.type === 'ack' || frame.type === 'refused') && frame.client_seq === client_seq && frame)
        this.socket.send(JSON.stringify({ type: 'command', client_seq, epoch: this.epoch, client_at: Date.now(), command }))
        const { type, problem } = await answer
        if (type === 'ack') return
        if (problem.retry_after_ms === undefined || problem.retry_after_ms === null) throw new Error(`${command.do}: ${problem.code}`)
        await new Promise(done => setTimeout(done, problem.retry_after_ms))
      }
    }

    async publish() {
      const peer = this.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
      peer.addTransceiver(picture, { direction: 'sendonly', sendEncodings: [{ maxBitrate: BITS, maxFramerate: FRAMES }] })
      peer.addTransceiver(sound, { direction: 'sendonly' })
      const offer = await peer.createOffer()
      const answer = await asked('POST', '/whip', { ...this.credential, 'Content-Type': 'application/sdp' }, offer.sdp)
      await peer.setLocalDescription(offer)
      await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
    }
  }

  globalThis.virtuals = links.map((link, index) => new Virtual(link, index % 2 === 0 ? 'kk' : 'ru'))
}
