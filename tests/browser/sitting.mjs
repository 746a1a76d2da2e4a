// One whole sitting for one test: a server of its own, a candidate, a proctor. What goes wrong leaves its pictures
// and the server's log in the folder SYNAQ_FAILURES (default: synaq-failures in the folder for temporary files).
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Demo, until } from '../support/demo.mjs'
import { Installation } from '../support/installation.mjs'
import { Line } from '../support/line.mjs'
import { Relay } from '../support/relay.mjs'
import { Store } from '../support/store.mjs'
import { DESKTOP, sittingWithScreen } from '../support/screen.mjs'
import { Staff, behind } from '../support/staff.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Proctor } from './seat/proctor.mjs'

const FAILURES = process.env.SYNAQ_FAILURES ?? join(tmpdir(), 'synaq-failures')
/** A whole exam with forty answers takes half a minute; two cores and a debug build take their time. */
const PATIENCE_MS = 300_000
/** Of the page's text and of the server's log, in the output of a test that failed. */
const SAID_CHARS = 700
const LOG_LINES = 25

/**
 * A test over a sitting.
 * @param {string} name what holds
 * @param {{ lang?: string, cable?: boolean, seats?: boolean, disk?: string, detectors?: string, shows?: object, screen?: boolean, flags?: string[], relay?: boolean, store?: boolean, empty?: boolean, patienceMs?: number }} options `cable`: the candidate's line can be cut;
 *   `seats: false`: the test opens its own; `disk`: the server's data folder is a disk of that size; `detectors`: who looks
 *   at pictures; `shows`: what the candidate's camera and microphone show and say; `screen`: the programme asks for it;
 *   `flags`: of the candidate's browser; `relay`: there is one for whoever cannot reach the media port; `store`: evidence goes into an S3 server; `empty`: an
 *   installation without a centre, and no seats
 * @param {(sitting: Sitting) => Promise<void>} body
 */
export function exam(name, options, body) {
  test(name, { timeout: options.patienceMs ?? PATIENCE_MS }, async () => {
    const sitting = new Sitting(options)
    try {
      await sitting.start()
      await body(sitting)
      for (const seat of sitting.seats) seat.soundPage?.()
    } catch (error) {
      await sitting.keepEvidence(name).catch(() => {})
      throw error
    } finally {
      await sitting.stop()
    }
  })
}

export class Sitting {
  seats = []

  constructor({ lang = 'ru', cable = false, seats = true, disk, detectors, shows, screen = false, flags, relay = false, store = false, empty = false } = {}) {
    this.options = { lang, cable, seats, disk, detectors, shows, screen, flags, relay, store, empty }
  }

  async start() {
    const { lang, cable, seats, disk, detectors, shows, screen, flags, relay } = this.options
    if (this.options.empty) return void (this.demo = await Installation.start())
    if (relay) await this.#startRelay()
    if (this.options.store) this.store = await Store.start()
    this.demo = await Demo.start({ disk, detectors, relay: this.relay, evidence: this.store?.settings() })
    this.link = this.demo.links.candidate_links[0]
    if (screen) Object.assign(this, await sittingWithScreen(await this.centre()))
    this.info = await behind(this.link)
    if (cable) this.line = await Line.to(this.demo.port)
    if (!seats) return
    ;[this.candidate, this.proctor] = await Promise.all([
      this.seat(Candidate.open(this.link, { lang, line: this.line, shows, flags: screen ? [DESKTOP] : flags })),
      this.seat(Proctor.open(this.demo, { lang, sitting: this.sitting })),
    ])
  }

  async #startRelay() {
    this.#folder = mkdtempSync(join(tmpdir(), 'synaq-relay-'))
    this.relay = await Relay.start(this.#folder)
    await until('the relay is up', () => this.relay.isUp, 60_000)
  }

  #folder

  /** Closed at the end of the test. */
  async seat(opening) {
    const seat = await opening
    this.seats.push(seat)
    return seat
  }

  /** From the link to the first question. */
  async reachExam() {
    await this.candidate.prepare({ screen: this.options.screen })
    await this.proctor.openPanel(this.info.candidate)
    await this.proctor.admit()
    await this.candidate.readTexts()
    await this.candidate.begin()
  }

  /** The platform holds exactly one copy of this session's record. */
  async delivered() {
    return until('the record at the platform', async () => {
      const records = (await this.demo.held()).filter(message => message.kind === 'record')
      return records.length > 0 && records
    }, 60_000)
  }

  /** Signed in once: a session outlives a restart, and signing in again and again is slowed down. */
  centre() {
    this.#centre ??= Staff.signIn(this.demo, this.demo.links.centre)
    this.#centre.catch(() => { this.#centre = undefined })
    return this.#centre
  }

  #centre

  /** The session as the centre sees it. */
  async detail() {
    return (await this.centre()).json(`/api/v1/centre/sessions/${this.info.session}`)
  }

  async sealed() {
    return until('the sealed record', async () => {
      const detail = await this.detail()
      return detail.record && detail
    }, 60_000)
  }

  /** The downloadable file, once the record is sealed. */
  async bundle() {
    await this.sealed()
    return Buffer.from(await (await (await this.centre()).get(`/api/v1/centre/sessions/${this.info.session}/bundle`)).arrayBuffer())
  }

  /** Names of the evidence that the sealed record covers; each piece is what its digest says, and nothing is missing. */
  async sealedEvidence() {
    const { payload } = JSON.parse(await this.bundle())
    const { evidence, evidence_gaps: gaps } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    assert.deepEqual(gaps.filter(({ why }) => why.includes('not finished')), [])
    const centre = await this.centre()
    for (const { name, sha256, bytes } of evidence) {
      const piece = Buffer.from(await (await centre.get(`/api/v1/centre/sessions/${this.info.session}/evidence/${name}`)).arrayBuffer())
      assert.equal(piece.length, bytes, name)
      assert.equal(createHash('sha256').update(piece).digest('hex'), sha256, name)
    }
    return evidence.map(({ name }) => name)
  }

  /** The answers that count, by question, as the sealed log has them. */
  async sealedAnswers() {
    const { events } = JSON.parse(await this.bundle())
    const answers = new Map()
    for (const { kind, body } of events) if (kind === 'answer_put') answers.set(body.fact.question, body.fact.shown)
    return answers
  }

  /** The one open incident is found to be nothing: until then nothing is sealed. */
  async dismissOpenIncident() {
    await this.proctor.at('open-incidents').getByTestId('dismiss').click()
  }

  async keepEvidence(name) {
    mkdirSync(FAILURES, { recursive: true })
    const at = suffix => join(FAILURES, `${name.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 80)}-${suffix}`)
    writeFileSync(at('server.log'), this.demo?.log ?? '')
    const pictures = this.seats.map((seat, index) => seat.page?.screenshot({ path: at(`${index}.png`), fullPage: true }))
    await Promise.allSettled(pictures)
    console.error(`pictures and log: ${at('*')}`)
    // Where only the output is kept, it has to say what the pictures would.
    for (const [index, seat] of this.seats.entries()) console.error(`seat ${index}: ${await words(seat)}`)
    console.error((this.demo?.log ?? '').trimEnd().split('\n').slice(-LOG_LINES).join('\n'))
  }

  async stop() {
    await Promise.allSettled(this.seats.map(seat => seat.close()))
    this.line?.close()
    await this.demo?.stop()
    this.relay?.stop()
    this.store?.stop()
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** What the seat's page says now, in one line, and what went wrong in it. */
async function words({ page }) {
  if (!page) return 'no page'
  const said = await page.locator('body').innerText({ timeout: 2_000 }).catch(error => `unreadable: ${error.message.split('\n')[0]}`)
  return JSON.stringify({ url: page.url().replace(/\/c\/.*/, '/c/…'), said: said.replace(/\s+/g, ' ').slice(0, SAID_CHARS), faults: page.faults })
}
