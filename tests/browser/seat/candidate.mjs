// The candidate's page, as a person uses it.
import assert from 'node:assert/strict'
import { killKept, launch, openKept, openWindow, visibility } from '../../support/chromium.mjs'
import { until } from '../../support/demo.mjs'
import { fixtures } from '../../support/fixtures.mjs'
import { choice } from '../../support/key.mjs'

const TEXTS = ['methodology', 'appeal_procedure', 'forbidden_items', 'conduct']

export class Candidate {
  static async open(link, { lang = 'ru', width, height, line, devices, shows, flags } = {}) {
    const candidate = new Candidate()
    candidate.browser = await launch({ line, devices, shows, flags })
    candidate.page = await openWindow(candidate.browser, { lang, width, height })
    candidate.lang = lang
    candidate.link = link
    await candidate.page.goto(link)
    return candidate
  }

  /** In a browser that keeps its profile in a folder, and so comes back after a crash. */
  static async openKept(link, profile, { lang = 'ru', line } = {}) {
    const candidate = new Candidate()
    candidate.page = await openKept(profile, { lang, line })
    candidate.browser = candidate.page.context()
    Object.assign(candidate, { lang, link, profile })
    await candidate.page.goto(link)
    return candidate
  }

  /** The browser is gone from one moment to the next. */
  async crash() {
    const gone = this.browser.waitForEvent('close')
    killKept(this.profile)
    await gone
  }

  /** The same link in another tab of the same browser. */
  async anotherTab() {
    const tab = new Candidate()
    Object.assign(tab, { browser: this.browser, lang: this.lang, link: this.link })
    tab.page = await this.page.context().newPage()
    tab.page.faults = this.page.faults
    await tab.page.goto(this.link)
    return tab
  }

  async close() {
    await this.browser.close()
  }

  at(testid) {
    return this.page.getByTestId(testid)
  }

  async screen(name, timeout = 30_000) {
    await this.at(`screen-${name}`).waitFor({ timeout })
  }

  async bind() {
    await this.at('begin-device').click()
    await this.screen('language')
  }

  async chooseLanguage() {
    await this.at(`lang-${this.lang}`).check()
    await this.at('language-next').click()
    await this.screen('consent')
  }

  async consent() {
    await this.at('consent-check').check()
    await this.at('consent-next').click()
    await this.screen('device')
  }

  async checkDevice({ screen = false } = {}) {
    await this.at('device-allow').click()
    if (screen) await this.at('share-screen').click()
    await enabled(this.at('device-next'))
    await this.at('device-next').click()
    await this.screen('photos')
  }

  async sendPhotos() {
    await this.at('take-face').click()
    await this.page.locator('[data-testid=photo-face][data-stored=true]').waitFor()
    await this.at('file-document').setInputFiles(fixtures().document)
    await this.page.locator('[data-testid=photo-document][data-stored=true]').waitFor()
    await enabled(this.at('identity-submit'))
    await this.at('identity-submit').click()
    await this.screen('identity')
  }

  /** From the link to the proctor's admission. */
  async prepare(options) {
    await this.bind()
    await this.chooseLanguage()
    await this.consent()
    await this.checkDevice(options)
    await this.sendPhotos()
  }

  async readTexts() {
    await this.screen('texts')
    for (const text of TEXTS) await this.at(`confirm-${text}`).click()
    await this.screen('ready')
  }

  async begin() {
    await enabled(this.at('begin-exam'))
    await this.at('begin-exam').click()
    await this.screen('exam')
    await this.at('question-text').waitFor()
  }

  /** Number of questions of the paper. */
  async total() {
    return this.page.locator('[data-testid^=place-]').count()
  }

  async goTo(index) {
    await this.at(`place-${index}`).click()
    await this.page.locator(`[data-testid=question][data-index="${index}"]`).waitFor()
  }

  /** Text and options of the question on the screen. */
  async read() {
    const text = await this.at('question-text').innerText()
    const options = await this.page.locator('fieldset label:has([data-testid^=option-])').allInnerTexts()
    return { text, options }
  }

  /** Answers the question on the screen so that it is right, or is not; the places that were chosen. */
  async answer(rightly) {
    const { text, options } = await this.read()
    const places = choice(text, options, rightly)
    for (const place of places) await this.at(`option-${place}`).check()
    return places.toSorted((a, b) => a - b)
  }

  /** Answers questions from `from` up to `to`, the first `right` of them rightly; what was chosen, by question. */
  async answerAll({ from = 0, to, right }) {
    const answers = new Map()
    for (let index = from; index < to; index++) {
      await this.goTo(index)
      answers.set(index, await this.answer(index - from < right))
    }
    return answers
  }

  /** Everything on this device has reached the server's disk. */
  async allSaved(timeout = 30_000) {
    await this.page.waitForFunction(
      () => !document.querySelector('[data-testid^=place-][data-unsaved=true]')
        && document.querySelector('[data-testid=save-line]')?.dataset.state === 'saved',
      undefined, { timeout },
    )
  }

  async handIn() {
    await this.at('hand-in').click()
    await this.at('hand-in-confirm').click()
  }

  /** What the end screen says. */
  async end(timeout = 60_000) {
    await this.screen('end', timeout)
    await this.at('end-reason').waitFor()
    const result = this.at('end-result')
    await until('the result, or that there is none', async () =>
      await result.count() > 0 || await this.at('end-no-result').count() > 0)
    return {
      reason: await this.at('end-reason').getAttribute('data-reason'),
      passed: await result.count() > 0 ? await result.getAttribute('data-passed') === 'true' : undefined,
      text: await this.at('screen-end').innerText(),
    }
  }

  async hide() {
    await visibility(this.page, 'hidden')
  }

  async show() {
    await visibility(this.page, 'visible')
  }

  async acknowledgeWarning() {
    await this.at('warning-ack').click()
    await this.at('warning').waitFor({ state: 'detached' })
  }

  /** No script of ours failed. */
  soundPage() {
    assert.deepEqual(this.page.faults, [])
  }
}

/** Until a button can be pressed. */
export async function enabled(locator, timeout = 30_000) {
  await locator.waitFor({ timeout })
  await until(`${locator} can be pressed`, () => locator.isEnabled(), timeout)
}
