// An empty installation as an administrator makes one: a configuration, `synaq serve`, the platform's sandbox as a process of
// its own, a folder that takes the letters. Nobody and nothing is in it before `addCentre`.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BINARY, START_MS, freePorts, until, verify } from './demo.mjs'

const LETTER_MS = 60_000

export class Installation {
  static async start() {
    assert(existsSync(BINARY), `${BINARY} is missing; \`cargo build --workspace\` makes it, SYNAQ_BIN names another`)
    const installation = new Installation()
    installation.data = mkdtempSync(join(tmpdir(), 'synaq-empty-'))
    await installation.#open(await freePorts())
    return installation
  }

  /** What stands in no log: names, numbers, passwords, links. Whoever makes one adds it. */
  secrets = []

  /** What the server and the platform wrote to their logs so far. */
  log = ''

  /** `synaq centre add`: the head's set-up link. */
  async addCentre({ bin, kk, ru, login, name }) {
    const said = await this.#run('centre', 'add', '--bin', bin, '--name-kk', kk, '--name-ru', ru, '--login', login, '--name', name)
    return said.match(/http\S+\/centre\/setup\/\S+/)[0]
  }

  /** Letters to this address, each as the text a person reads. */
  letters(address) {
    return readdirSync(this.#at('mail')).filter(name => name.endsWith('.eml'))
      .map(name => readFileSync(join(this.#at('mail'), name), 'utf8'))
      .filter(letter => letter.includes(`To: ${address}\r\n`))
  }

  /** The link in the newest letter to this address that is not among `known`. */
  async linkTo(address, known = []) {
    const found = await until(`a letter to ${address}`, () =>
      this.letters(address).map(letter => letter.match(/http\S+\/(?:centre\/setup|c)\/\S+/)?.[0]).find(link => link && !known.includes(link)), LETTER_MS)
    this.secrets.push(new URL(found).pathname.split('/').at(-1))
    return found
  }

  /** What the platform holds. */
  async held() {
    return (await fetch(`${this.links.platform_url}/api/messages`)).json()
  }

  /** What `synaq verify` says of a bundle's bytes; `more`: further options. */
  async verify(bundle, more = []) {
    const file = this.file('bundle.json', bundle)
    return verify(file, this.links.trust, more)
  }

  /** A file of that name beside the installation. */
  file(name, bytes) {
    writeFileSync(this.#at(name), bytes)
    return this.#at(name)
  }

  async stop() {
    this.#server?.kill('SIGTERM')
    const late = setTimeout(() => this.#server?.kill('SIGKILL'), 15_000)
    await this.#ended
    clearTimeout(late)
    this.#platform?.stdin.end()
    await this.#platformEnded
    const said = this.secrets.filter(secret => this.log.includes(secret))
    assert.deepEqual(said, [], 'the log of the server and the platform holds what it must not')
    if (!process.env.SYNAQ_KEEP) rmSync(this.data, { recursive: true, force: true })
  }

  #server
  #ended
  #platform
  #platformEnded

  #at(name) {
    return join(this.data, name)
  }

  async #open(port) {
    const [server, platform] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 1}`]
    this.links = { base_url: `http://localhost:${port}`, platform_url: `http://${platform}`, trust: this.#at('data/trust.json') }
    for (const folder of ['data', 'mail']) mkdirSync(this.#at(folder), { mode: 0o700 })
    this.#platform = this.#spawn('platform', '--data', this.#at('platform'), '--listen', platform, '--trust', this.links.trust, '--until-stdin-closes')
    this.#platformEnded = once(this.#platform, 'exit')
    const keys = this.#at('platform/platform-keys.json')
    await until('the platform answers', () => fetch(`${this.links.platform_url}/healthz`).then(r => r.ok && existsSync(keys), () => false), START_MS)
    this.file('synaq.toml', config({
      '': { data: this.#at('data'), listen: server, public_url: this.links.base_url },
      media: { listen: `127.0.0.1:${port + 2}` },
      platform: { url: this.links.platform_url, trust: keys },
      mail: { from: 'Орталық <exam@example.kz>', folder: this.#at('mail') },
      // A drawn person has no face that a detector would find.
      detectors: { faces: 'off' },
      ops: { listen: '127.0.0.1:0' },
      log: { filter: 'debug' },
    }))
    await this.#run('doctor')
    this.#server = this.#spawn('serve', '--config', this.#at('synaq.toml'))
    this.#ended = once(this.#server, 'exit')
    await until('the server answers', () => {
      assert.equal(this.#server.exitCode, null, `the server ended: ${this.log}`)
      return fetch(`${this.links.base_url}/healthz`).then(r => r.ok, () => false)
    }, START_MS)
  }

  #spawn(...command) {
    const child = spawn(BINARY, command)
    child.stdout.resume()
    child.stderr.on('data', text => { this.log += text })
    return child
  }

  async #run(...command) {
    const { stdout } = await promisify(execFile)(BINARY, [...command, '--config', this.#at('synaq.toml')])
    return stdout
  }
}

/** TOML of tables of texts. */
function config(tables) {
  const lines = Object.entries(tables).flatMap(([table, settings]) =>
    [...table ? [`[${table}]`] : [], ...Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)])
  return `${lines.join('\n')}\n`
}
