// What the media tests share: the service under test, browsers with a fake camera, and waiting for a condition.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

const from = process.env.PLAYWRIGHT_FROM ?? new URL('../../exam-client/', import.meta.url).pathname
const { chromium } = createRequire(join(from, 'package.json'))('playwright-core')

const LOOK_EVERY_MS = 50

export class Service {
  /** The service that the command line names: INTEROP-BINARY FOLDER. `relay` starts one first; `more` are options that
   *  name it. */
  static async start({ relay, more } = {}) {
    const [program, folder] = process.argv.slice(2)
    assert(program && folder, 'usage: TEST.mjs INTEROP-BINARY FOLDER')
    mkdirSync(folder, { recursive: true })
    const service = new Service()
    service.folder = folder
    if (relay) service.turn = await relay(folder)
    const options = more ? more(service.turn) : []
    service.#child = spawn(program, [folder, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    service.base = await new Promise((resolve, reject) => {
      createInterface({ input: service.#child.stdout }).once('line', resolve)
      service.#child.once('exit', code => reject(new Error(`the service ended with ${code}`)))
    })
    return service
  }

  get pid() {
    return this.#child.pid
  }

  async json(path) {
    return (await fetch(this.base + path)).json()
  }

  async status(session) {
    return this.json(`/status/${session}`)
  }

  /** Looks again and again until there is something; if there never is, says what was missing and what happened. */
  async until(what, look, patienceMs = 15_000) {
    for (const end = Date.now() + patienceMs; Date.now() < end; await pause(LOOK_EVERY_MS)) {
      const found = await look()
      if (found) return found
    }
    throw new Error(`${what}: not within ${patienceMs} ms; facts:\n${(await this.json('/facts')).join('\n')}`)
  }

  /** A page of its own context on the service's origin. */
  async page(browser) {
    const page = await (await browser.newContext()).newPage()
    await page.goto(this.base)
    return page
  }

  stop() {
    this.#child.kill('SIGINT')
  }

  #child
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    ],
  })
