// What every screen must hold: no sideways scrolling, nothing that axe complains about. With SYNAQ_SHOTS a picture of
// each screen is kept in that folder.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { packages } from '../support/packages.mjs'
import { LANGS, SIZES, pictureOf, screenNamed } from './screens.mjs'

const AXE = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = process.env.SYNAQ_SHOTS
const THIS_TEST = basename(process.argv[1], '.test.mjs')

/**
 * Looks at the screen as it is, wide and narrow.
 * @param {import('playwright-core').Page} page
 * @param {string} name as screens.mjs has it: `proctor/wall`
 * @param {string} [as] a further picture of a screen that is pictured elsewhere, or otherwise
 */
export async function look(page, name, as) {
  await fits(page, name, as, async file => assert.deepEqual(await violations(page), [], file))
}

/** Looks at it in both languages, by the page's own switch, and leaves it in the one it had. */
export async function lookInBoth(page, name, as) {
  const first = await page.locator('html').getAttribute('lang')
  await look(page, name, as)
  for (const lang of LANGS.filter(lang => lang !== first)) {
    await speak(page, lang)
    // Other words are wider or narrower; to axe they are the same.
    await fits(page, name, as)
  }
  await speak(page, first)
}

async function fits(page, name, as, holds) {
  const screen = screenNamed(name)
  assert(as || screen.by === THIS_TEST, `${name} is pictured by ${screen.by}`)
  const lang = await page.locator('html').getAttribute('lang')
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport)
    await settled(page)
    const tooWide = await overflow(page)
    const file = pictureOf(screen, { lang, size, as })
    await shoot(page, file)
    assert.equal(tooWide, null, `${file} scrolls sideways`)
    await holds?.(file)
  }
  await page.setViewportSize(SIZES.wide)
}

/** The page in another language; behind a dialog too, where only a test reaches the switch. */
export async function speak(page, lang) {
  const words = filesOnTheirWay(page)
  await page.getByTestId('lang-select').selectOption(lang)
  await page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
  await words.arrived()
}

/** An app's words and those it shares come in files of their own, in any order. */
function filesOnTheirWay(page) {
  const arriving = []
  const note = request => request.resourceType() === 'script' && arriving.push(request.response().then(response => response?.finished()))
  page.on('request', note)
  return {
    async arrived() {
      await Promise.allSettled(arriving)
      page.off('request', note)
    },
  }
}

async function overflow(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.scrollingElement
    if (scrollWidth <= clientWidth) return null
    const culprits = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > clientWidth + 1)
    return `${scrollWidth} px in ${clientWidth}: ${culprits.slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join(' | ')}`
  })
}

/** What moves longer is no change of the page but shows how time goes. */
const LONGEST_CHANGE_MS = 1_000

async function settled(page) {
  await page.evaluate(async longest => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    await Promise.all(document.getAnimations().filter(a => a.effect?.getComputedTiming().endTime <= longest).map(a => a.finished.catch(() => {})))
    await document.fonts.ready
  }, LONGEST_CHANGE_MS)
}

async function shoot(page, file) {
  if (!SHOTS) return
  mkdirSync(SHOTS, { recursive: true })
  // From its top, or what sticks to the window's edge stands in the middle of the picture.
  const scrolled = await page.evaluate(() => {
    const { scrollY } = window
    window.scrollTo(0, 0)
    return scrollY
  })
  await page.screenshot({ path: join(SHOTS, file), fullPage: true })
  await page.evaluate(y => window.scrollTo(0, y), scrolled)
}

/** What axe finds, one line each. Evaluated outside the page's own script rules, which forbid foreign scripts. */
async function violations(page) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(AXE)
  const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations)
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')}`)
}
