// The proctor's wall, as a person uses it.
import assert from 'node:assert/strict'
import { launch, openWindow, visibility } from '../../support/chromium.mjs'
import { until } from '../../support/demo.mjs'

export class Proctor {
  /** `browser`: a window in that one, which closes with it. */
  static async open(demo, { lang = 'ru', width, height, account = demo.links.proctor, sitting, flags, browser } = {}) {
    const proctor = new Proctor()
    proctor.#isGuest = browser !== undefined
    proctor.browser = browser ?? await launch({ devices: false, flags })
    proctor.page = await openWindow(proctor.browser, { lang, width, height })
    await proctor.page.goto(`${demo.links.base_url}/proctor/${sitting ? `?sitting=${sitting}` : ''}`)
    await signIn(proctor.page, account)
    await proctor.at('tile').first().waitFor()
    return proctor
  }

  /** Somebody who is signed in already and stands before their own door. */
  static async enter(page, door) {
    const proctor = new Proctor()
    proctor.page = page
    await door.click()
    await proctor.at('tile').first().waitFor()
    return proctor
  }

  async close() {
    if (!this.#isGuest) await this.browser.close()
  }

  #isGuest

  at(testid) {
    return this.page.getByTestId(testid)
  }

  /** The tile of a candidate by a part of the name. */
  tile(name) {
    return this.at('tile').filter({ hasText: name })
  }

  async openPanel(name) {
    await this.tile(name).click()
    await this.at('panel').getByRole('heading', { name }).waitFor()
    await this.at('panel-state').waitFor()
  }

  async admit() {
    await this.at('admit').click()
    await this.at('admit').waitFor({ state: 'detached' })
  }

  async askAgain(reason) {
    await this.at('ask-again').click()
    await this.at('reason').fill(reason)
    await this.#submit('ask-again-dialog')
  }

  async say(text) {
    await this.at('message').fill(text)
    await this.at('say').click()
    await this.at('chat-lines').getByText(text).waitFor()
  }

  /** A violation that began `agoMs` before now. */
  async record(code, { note, agoMs = 0 } = {}) {
    await this.at('record').click()
    await this.at('code').selectOption(code)
    if (agoMs > 0) await this.at('ago').fill(String(Math.round(agoMs / 1_000)))
    if (note) await this.at('record-dialog').getByTestId('note').fill(note)
    const sure = this.at('sure')
    if (await sure.count() > 0) await sure.check()
    await this.#submit('record-dialog')
  }

  /** Rules by one key on the alert that stands there, once a person could have seen it. */
  async rule(key) {
    await this.at('triage-now').locator('[data-testid=incident][data-seen=true]').waitFor()
    await this.page.keyboard.press(key)
  }

  async pause(reason) {
    await this.at('pause').click()
    await this.at('reason').fill(reason)
    await this.#submit('pause-dialog')
    await this.at('resume').waitFor()
  }

  async resume() {
    await this.at('resume').click()
    await this.at('pause').waitFor()
  }

  async credit(minutes, reason, kind = 'credit') {
    await this.at('time').click()
    await this.at(`time-${kind}`).check()
    await this.at('minutes').fill(String(minutes))
    await this.at('reason').fill(reason)
    await this.#submit('time-dialog')
  }

  async end(why, note) {
    await this.at('end').click()
    await this.at(`why-${why}`).check()
    await this.at('end-dialog').getByTestId('note').fill(note)
    await this.at('end-next').click()
    await this.#submit('end-sure-dialog')
  }

  async admitDevice() {
    await this.at('admit-device').click()
  }

  /** Waits until the warning has taken effect: from then on a new violation ends the exam. */
  async warningEffective() {
    await until('the warning takes effect', async () =>
      /\d\d:\d\d:\d\d/.test(await this.at('panel-warned').innerText().catch(() => '')), 60_000)
  }

  /** The live picture moves and has sound: frames are shown, the sound track carries energy. */
  async seesAndHears() {
    const video = this.page.locator('[data-testid=live-video], [data-testid=preview-video]').first()
    await video.waitFor()
    const look = () => video.evaluate(async element => {
      const sound = element.srcObject?.getAudioTracks().length ?? 0
      return { ready: element.readyState, time: element.currentTime, frames: element.getVideoPlaybackQuality().totalVideoFrames,
        sound, muted: element.muted, width: element.videoWidth }
    })
    let before = await until('a live picture', async () => {
      const now = await look()
      return now.ready >= 3 && now.frames > 5 && now
    })
    assert.equal(before.sound, 1, 'the live view has a sound track')
    const after = await until('the live picture moves', async () => {
      const now = await look()
      // Connected anew meanwhile: it counts from the beginning again.
      if (now.frames < before.frames) before = now
      return now.frames > before.frames + 20 && now.time > before.time + 1 && now
    })
    return after
  }

  async hide() {
    await visibility(this.page, 'hidden')
  }

  async show() {
    await visibility(this.page, 'visible')
  }

  soundPage() {
    assert.deepEqual(this.page.faults, [])
  }

  async #submit(dialog) {
    await this.at(dialog).getByTestId('submit').click()
    await this.at(dialog).waitFor({ state: 'detached' })
  }
}

/** The staff's sign-in form. */
export async function signIn(page, { login, password }) {
  await page.getByTestId('login').fill(login)
  await page.getByTestId('password').fill(password)
  await page.getByTestId('sign-in-submit').click()
  await page.getByTestId('sign-in').waitFor({ state: 'detached' })
}
