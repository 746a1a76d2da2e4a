// Headless Chromium with a fake camera and microphone.
import { fixtures } from './fixtures.mjs'
import { packages } from './packages.mjs'

const { chromium } = packages('playwright-core')

/** A browser of one seat. `line`: how it reaches the server; `devices: false`: without camera and microphone;
 *  `shows`: files for both other than the drawn person's; `flags`: further ones. */
export async function launch({ line, devices = true, shows, flags = [] } = {}) {
  const { camera, microphone } = shows ?? fixtures()
  const fake = ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`,
    `--use-file-for-fake-audio-capture=${microphone}`]
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
      ...devices ? fake : [], ...line ? [line.rule] : [], ...flags,
    ],
  })
}

/** A window of somebody who reads `lang`. Faults of the page's own scripts end the test through `faults`. */
export async function openWindow(browser, { lang = 'ru', width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({ locale: { kk: 'kk-KZ', ru: 'ru-RU', en: 'en-GB' }[lang], viewport: { width, height },
    timezoneId: 'Asia/Almaty', acceptDownloads: true })
  const page = await context.newPage()
  page.faults = []
  page.on('pageerror', error => page.faults.push(String(error)))
  return page
}

/** The page goes out of sight or comes back, as with another tab in front: Chromium cannot be made to by a test. */
export async function visibility(page, state) {
  await page.evaluate(state => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}
