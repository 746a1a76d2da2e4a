// Headless Firefox with its own fake camera and microphone, driven over Marionette, the protocol that Firefox itself speaks
// (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html) and geckodriver translates to: clicks and typing are
// real input, and nothing has to be installed beside the browser.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './demo.mjs'

/** What a command may be asked to find: the W3C's name for a reference to an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
const START_MS = 90_000
/** Not there, not in view, covered or not laid out yet: what a person would wait for as well. */
const PASSING = ['no such element', 'element not interactable', 'element click intercepted', 'stale element reference', 'invalid element state']

const PREFERENCES = {
  'marionette.port': 0,
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'permissions.default.camera': 1,
  'permissions.default.microphone': 1,
  // Server and browser are on one machine.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.auto': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
}

export class Firefox {
  /** A window at `url` of somebody who reads `lang`. */
  static async open(url, { lang = 'ru' } = {}) {
    const firefox = new Firefox()
    await firefox.#start({ ...PREFERENCES, 'intl.accept_languages': lang })
    await firefox.ask('WebDriver:NewSession', { capabilities: { alwaysMatch: { acceptInsecureCerts: false } } })
    await firefox.ask('WebDriver:SetTimeouts', { script: 60_000, pageLoad: 60_000 })
    await firefox.goto(url)
    return firefox
  }

  async goto(url) {
    this.#url = url
    await this.ask('WebDriver:Navigate', { url })
  }

  /** What a function says in the page, which may take its time; arguments and answer are JSON. */
  async run(act, ...args) {
    const { value } = await this.ask('WebDriver:ExecuteScript', { script: `return (${act})(...arguments)`, args, sandbox: null })
    return value
  }

  /** Presses what carries this test id, once it can be pressed. */
  async click(testid, patienceMs = 60_000) {
    await this.press(`[data-testid="${testid}"]:not([disabled])`, patienceMs)
  }

  async press(selector, patienceMs = 60_000) {
    await this.#once(`${selector} can be pressed in Firefox`, async () => {
      await this.ask('WebDriver:ElementClick', { id: await this.#find(selector) })
    }, patienceMs)
  }

  async sees(selector, patienceMs = 60_000) {
    await this.#once(`${selector} in Firefox`, () => this.#find(selector), patienceMs)
  }

  /** By the keyboard. */
  async type(testid, text) {
    await this.#once(`${testid} takes text in Firefox`, async () => {
      await this.ask('WebDriver:ElementSendKeys', { id: await this.#find(`[data-testid="${testid}"]`), text })
    }, 60_000)
  }

  /** Gives a file to a field that takes one. */
  async choose(testid, path) {
    await this.type(testid, path)
  }

  async text(selector) {
    const { value } = await this.ask('WebDriver:GetElementText', { id: await this.#find(selector) })
    return value
  }

  /** For what is kept of a failed test. */
  get page() {
    return {
      url: () => this.#url,
      locator: selector => ({ innerText: () => this.run(wanted => document.querySelector(wanted).innerText, selector) }),
      screenshot: async ({ path }) => {
        const { value } = await this.ask('WebDriver:TakeScreenshot', { full: true })
        writeFileSync(path, Buffer.from(value, 'base64'))
      },
    }
  }

  async close() {
    this.#socket?.destroy()
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#ended
    clearTimeout(late)
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  /** One command; Marionette does one after the other. */
  ask(command, parameters = {}) {
    const id = this.#next++
    const message = JSON.stringify([0, id, command, parameters])
    this.#socket.write(`${Buffer.byteLength(message)}:${message}`)
    return new Promise((done, fail) => this.#waiting.set(id, { done, fail, command }))
  }

  async #find(selector) {
    const { value } = await this.ask('WebDriver:FindElement', { using: 'css selector', value: selector })
    return value[ELEMENT]
  }

  async #once(what, act, patienceMs) {
    await until(what, () => act().then(() => true, error => {
      if (PASSING.includes(error.code)) return false
      throw error
    }), patienceMs)
  }

  async #start(preferences) {
    this.#profile = mkdtempSync(join(tmpdir(), 'synaq-firefox-'))
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
    writeFileSync(join(this.#profile, 'user.js'), lines.join('\n'))
    this.#child = spawn(process.env.FIREFOX ?? 'firefox-esr',
      ['--headless', '--marionette', '--no-remote', '--profile', this.#profile], { stdio: 'ignore' })
    let fault
    this.#child.once('error', error => { fault = error })
    this.#ended = once(this.#child, 'exit').catch(() => {})
    const port = join(this.#profile, 'MarionetteActivePort')
    const found = await until('Firefox is up', () => {
      if (fault) throw new Error(`Firefox cannot be started: ${fault.message}`)
      return existsSync(port) && readFileSync(port, 'utf8').trim()
    }, START_MS)
    this.#socket = connect(Number(found), '127.0.0.1')
    this.#socket.on('data', bytes => this.#hear(bytes))
    this.#socket.on('close', () => {
      for (const { fail, command } of this.#waiting.values()) fail(new Error(`${command}: Firefox has gone`))
    })
    await once(this.#socket, 'connect')
  }

  /** Messages come as their length, a colon, and JSON. */
  #hear(bytes) {
    this.#heard = Buffer.concat([this.#heard, bytes])
    for (;;) {
      const colon = this.#heard.indexOf(':')
      if (colon < 0) return
      const end = colon + 1 + Number(this.#heard.subarray(0, colon))
      if (this.#heard.length < end) return
      const message = JSON.parse(this.#heard.subarray(colon + 1, end))
      this.#heard = this.#heard.subarray(end)
      // The first one is Firefox saying which protocol it speaks.
      if (Array.isArray(message)) this.#answered(message)
    }
  }

  #answered([, id, error, result]) {
    const { done, fail, command } = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) fail(Object.assign(new Error(`${command}: ${error.error}: ${error.message}`), { code: error.error }))
    else done(result)
  }

  #child
  #ended
  #heard = Buffer.alloc(0)
  #next = 1
  #profile
  #socket
  #url
  #waiting = new Map()
}
