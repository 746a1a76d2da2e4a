// Headless Chromium with a fake camera and microphone.
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fixtures } from './fixtures.mjs'
import { packages } from './packages.mjs'

const { chromium } = packages('playwright-core')

/** A browser of one seat. `line`: how it reaches the server; `devices: false`: without camera and microphone;
 *  `shows`: files for both other than the drawn person's; `flags`: further ones. */
export async function launch(options) {
  return chromium.launch(browserOptions(options))
}

/** A window of a browser that keeps what pages store in the folder `profile`, as one at home does. */
export async function openKept(profile, { lang = 'ru', ...options } = {}) {
  const context = await chromium.launchPersistentContext(profile, { ...browserOptions(options), ...windowOptions({ lang }) })
  return watched(context.pages()[0] ?? await context.newPage())
}

/** Its power is cut: no farewell, no flush. */
export function killKept(profile) {
  // Chromium marks a profile in use by a link to `<host>-<process>`.
  const pid = Number(readlinkSync(join(profile, 'SingletonLock')).split('-').at(-1))
  process.kill(pid, 'SIGKILL')
}

function browserOptions({ line, devices = true, shows, flags = [] } = {}) {
  const { camera, microphone } = shows ?? fixtures()
  const fake = ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`,
    `--use-file-for-fake-audio-capture=${microphone}`]
  return {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
      ...devices ? fake : [], ...line ? [line.rule] : [], ...flags,
    ],
  }
}

function windowOptions({ lang = 'ru', width = 1280, height = 900 } = {}) {
  return { locale: { kk: 'kk-KZ', ru: 'ru-RU', en: 'en-GB' }[lang], viewport: { width, height },
    timezoneId: 'Asia/Almaty', acceptDownloads: true }
}

/** Faults of the page's own scripts are gathered. */
function watched(page) {
  page.faults = []
  page.on('pageerror', error => page.faults.push(String(error)))
  return page
}

/** A window of somebody who reads `lang`. Faults of the page's own scripts end the test through `faults`. */
export async function openWindow(browser, options) {
  const context = await browser.newContext(windowOptions(options))
  return watched(await context.newPage())
}

/** The page goes out of sight or comes back, as with another tab in front: Chromium cannot be made to by a test. */
export async function visibility(page, state) {
  await page.evaluate(state => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}
