// The centre's and the commission's pages, as a person uses them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { launch, openWindow } from '../../support/chromium.mjs'
import { signIn } from './proctor.mjs'

export class Centre {
  /** `browser`: a window in that one, which closes with it. */
  static async open(demo, { lang = 'ru', width, height, account = demo.links.centre, browser } = {}) {
    const centre = await Centre.#window(demo, { lang, width, height, browser })
    await centre.page.goto(`${centre.base}/centre/`)
    await signIn(centre.page, account)
    await centre.at('nav-overview').waitFor()
    return centre
  }

  /** Somebody with a set-up link: the page where a password is set. */
  static async arrive(demo, link, { lang = 'ru', browser } = {}) {
    const centre = await Centre.#window(demo, { lang, browser })
    await centre.page.goto(link)
    await centre.at('set-up').waitFor()
    return centre
  }

  static async #window(demo, { lang, width, height, browser }) {
    const centre = new Centre()
    centre.base = demo.links.base_url
    centre.#isGuest = browser !== undefined
    centre.browser = browser ?? await launch({ devices: false })
    centre.page = await openWindow(centre.browser, { lang, width, height })
    return centre
  }

  #isGuest

  async close() {
    if (!this.#isGuest) await this.browser.close()
  }

  async setPassword(password, again = password) {
    await this.at('password').fill(password)
    await this.at('password-again').fill(again)
    await this.at('set-up-submit').click()
  }

  /** To a section by the navigation, as a person goes there. */
  async visit(section) {
    if (await this.at('menu').isVisible()) await this.at('menu').click()
    await this.at(`nav-${section}`).click()
    await this.loaded()
  }

  /** Fills fields by their test ids. */
  async type(fields) {
    for (const [id, text] of Object.entries(fields)) await this.at(id).fill(text)
  }

  at(testid) {
    return this.page.getByTestId(testid)
  }

  async go(path) {
    await this.page.goto(`${this.base}/centre/${path}`)
    await this.loaded()
  }

  /** Nothing is on its way any more. */
  async loaded() {
    await this.page.locator('main h1').first().waitFor()
    await this.at('loading').first().waitFor({ state: 'detached' })
  }

  /** A commission's record by the candidate's name. */
  async openRecord(name) {
    await this.go('records')
    await this.at('row').filter({ hasText: name }).getByRole('link').first().click()
    await this.at('result').waitFor()
  }

  async approve(note) {
    await this.at('approval').getByTestId('note').fill(note)
    await this.at('has-read').check()
    await this.at('approve').click()
    await this.at('approved').waitFor()
  }

  /** The bundle's bytes. */
  async download() {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.at('bundle').click()])
    return readFileSync(await download.path())
  }

  soundPage() {
    assert.deepEqual(this.page.faults, [])
  }
}
