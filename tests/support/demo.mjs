// A `synaq demo` of its own for each test: a fresh folder, free ports, the real binary.
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { secretsIn } from './logs.mjs'

export const BINARY = process.env.SYNAQ_BIN ?? new URL('../../target/debug/synaq', import.meta.url).pathname
/** Of evidence, each under a key of its own. */
const CLASSES = ['recordings', 'stills', 'photos']
/** A debug build on a busy machine of two cores. */
export const START_MS = 90_000

/** Looks again and again until there is something; says what was missing if there never is. */
export async function until(what, look, patienceMs = 30_000) {
  for (const end = Date.now() + patienceMs; ;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${patienceMs / 1_000} s`)
    await pause(40)
  }
}

export class Demo {
  /** `disk`: the data folder is a disk of its own of that size (as mount(8) takes it), seen by the server alone;
   *  `detectors`: who looks at pictures; a drawn person has no face that a detector would find; `relay`: for pages that
   *  cannot reach the media port; `evidence`: a file that says where evidence is kept. */
  static async start({ disk, detectors = 'off', relay, evidence } = {}) {
    assert(existsSync(BINARY), `${BINARY} is missing; \`cargo build --workspace\` makes it, SYNAQ_BIN names another`)
    const demo = new Demo()
    demo.data = mkdtempSync(join(tmpdir(), 'synaq-test-'))
    demo.#disk = disk
    demo.#detectors = detectors
    demo.#more = [...relay ? ['--turn', relay.url, '--turn-secret-file', relay.secretFile] : [], ...evidence ? ['--evidence', evidence] : []]
    demo.port = await freePorts()
    await demo.#run()
    return demo
  }

  get file() {
    return this.seen('demo.json')
  }

  /** The path of a file in the data folder, also when the folder is a disk that only the server sees. */
  seen(name) {
    const inside = join(this.data, name)
    return this.#disk ? `/proc/${this.#child?.pid}/root${inside}` : inside
  }

  /** Until not a byte more fits on the server's own disk; what comes back makes room again. */
  fillDisk() {
    const file = this.seen('ballast')
    const ballast = openSync(file, 'a')
    try {
      for (let size = 1 << 20; size > 0;) {
        try {
          writeSync(ballast, Buffer.alloc(size))
        } catch (error) {
          assert.equal(error.code, 'ENOSPC')
          size >>= 1
        }
      }
    } finally {
      closeSync(ballast)
    }
    return () => rmSync(file)
  }

  /** SIGKILL: no farewell, no flush. */
  async kill() {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** SIGTERM, as a service manager stops it. */
  async terminate() {
    this.#child.kill('SIGTERM')
    await this.#ended
  }

  /** The same folder and port again. */
  async restart() {
    await this.#run()
  }

  /** Stopped, and started again from a backup after which everything of these sessions was erased. */
  async restoreErased(sessions) {
    const [copy, restored, phrase, list] = ['copy', 'restored', 'phrase', 'erased.jsonl'].map(name => `${this.data}-${name}`)
    this.#left.push(this.data, copy, phrase, list)
    writeFileSync(phrase, 'four words of an operator\n')
    const lines = sessions.flatMap(session => CLASSES.map(name => JSON.stringify({ session, class: name, rule: `${name}_days=120`, at: 1 })))
    writeFileSync(list, `${lines.join('\n')}\n`)
    const run = promisify(execFile)
    await run(BINARY, ['backup', '--data', this.data, '--to', copy, '--with-keys', phrase])
    await this.terminate()
    await run(BINARY, ['restore', copy, '--data', restored, '--with-keys', phrase, '--erased', list])
    // What is the demo's own: who has which password, and what the platform holds.
    for (const name of ['demo.json', 'platform']) cpSync(join(this.data, name), join(restored, name), { recursive: true })
    this.data = restored
    await this.restart()
  }

  async killPlatform() {
    process.kill(this.links.platform_pid, 'SIGKILL')
    await until('the platform is gone', () => fetch(this.links.platform_url).then(() => false, () => true))
  }

  /** By hand, as the demo says in `platform_command`. */
  async startPlatform() {
    const [program, ...options] = this.links.platform_command
    this.#platform = spawn(program, options, { stdio: 'ignore' })
    await until('the platform answers', () => fetch(`${this.links.platform_url}/healthz`).then(r => r.ok, () => false))
  }

  /** What the platform holds. */
  async held() {
    return (await fetch(`${this.links.platform_url}/api/messages`)).json()
  }

  /** What `synaq verify` says of a bundle's bytes. */
  async verify(bundle, trust = this.links.trust, more = []) {
    const file = join(this.data, `bundle-${this.#bundles++}.json`)
    writeFileSync(file, bundle)
    return verify(file, trust, more)
  }

  /** Ends everything; leaves the folder if a test failed and SYNAQ_KEEP is set. */
  async stop() {
    this.#child?.kill('SIGTERM')
    this.#platform?.kill('SIGTERM')
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), 15_000)
    await this.#ended
    clearTimeout(late)
    const secrets = this.links ? secretsIn(this.log, this.links) : []
    assert.deepEqual(secrets, [], 'the log of the server and the platform holds what it must not')
    if (!process.env.SYNAQ_KEEP) for (const place of [this.data, ...this.#left]) rmSync(place, { recursive: true, force: true })
  }

  /** What the server wrote to its log so far. */
  log = ''
  #child
  #detectors
  #disk
  #ended
  #left = []
  #more
  #platform
  #bundles = 0

  async #run() {
    const before = existsSync(this.file) ? statSync(this.file).mtimeMs : 0
    const command = [BINARY, 'demo', '--log', 'debug', '--detectors', this.#detectors,
      '--data', this.data, '--port', String(this.port), ...this.#more]
    const [program, ...options] = this.#disk ? onDiskOfItsOwn(this.data, this.#disk, command) : command
    this.#child = spawn(program, options)
    const child = this.#child
    this.#ended = once(child, 'exit')
    // Standard output has links and passwords, for whoever started it; the log is standard error alone.
    child.stdout.resume()
    child.stderr.on('data', text => { this.log += text })
    await until(`the server is up; it said: ${this.log}`, () => {
      assert.equal(child.exitCode, null, `the server ended: ${this.log}`)
      return existsSync(this.file) && statSync(this.file).mtimeMs !== before
    }, START_MS)
    this.links = JSON.parse(readFileSync(this.file, 'utf8'))
    await until('the server answers', () => fetch(`${this.links.base_url}/healthz`).then(r => r.ok, () => false))
  }
}

/** `synaq verify FILE --trust KEYS`: whether it passes, and what it says; `more`: further options. */
export async function verify(file, trust, more = []) {
  return await promisify(execFile)(BINARY, ['verify', file, '--trust', trust, ...more]).then(
    ({ stdout, stderr }) => ({ passed: true, said: stdout + stderr }),
    error => ({ passed: false, said: `${error.stdout}${error.stderr}` }),
  )
}

/** The command in a mount namespace where `folder` is an empty disk in memory; without root in a user namespace. */
function onDiskOfItsOwn(folder, size, command) {
  const alone = spawnSync('unshare', ['--mount', 'true']).status === 0 ? ['--mount'] : ['--map-root-user', '--mount']
  const mount = 'mount -t tmpfs -o "size=$0" none "$1" && shift && exec "$@"'
  return ['unshare', ...alone, 'sh', '-c', mount, size, folder, ...command]
}

/** First of three in a row: server, platform, media. */
export async function freePorts() {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const all = await Promise.all([first, first + 1, first + 2].map(isFree))
    if (all.every(Boolean)) return first
  }
}

async function isFree(port) {
  const tcp = await new Promise(done => {
    const server = createServer().once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
  const udp = await new Promise(done => {
    const socket = createSocket('udp4').once('error', () => done(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => done(true)))
  })
  return tcp && udp
}
