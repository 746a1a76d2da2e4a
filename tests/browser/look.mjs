// What every screen must hold: no sideways scrolling, nothing that axe complains about. With SYNAQ_SHOTS a picture of
// each screen is kept in that folder.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packages } from '../support/packages.mjs'

const AXE = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = process.env.SYNAQ_SHOTS
const WIDE = { width: 1280, height: 900 }
/** WCAG 1.4.10: the narrowest window that must do without sideways scrolling. */
const NARROW = { width: 320, height: 640 }

/** Looks at the screen as it is, wide and narrow; `name` says which screen it is. */
export async function look(page, name) {
  for (const [size, viewport] of [['wide', WIDE], ['320', NARROW]]) {
    await page.setViewportSize(viewport)
    await settled(page)
    const tooWide = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.scrollingElement
      if (scrollWidth <= clientWidth) return null
      const culprits = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > clientWidth + 1)
      return `${scrollWidth} px in ${clientWidth}: ${culprits.slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join(' | ')}`
    })
    await shoot(page, `${name}-${size}`)
    assert.equal(tooWide, null, `${name} ${size} scrolls sideways`)
    assert.deepEqual(await violations(page), [], `${name} ${size}`)
  }
  await page.setViewportSize(WIDE)
}

async function settled(page) {
  await page.evaluate(async () => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    await Promise.all(document.getAnimations().filter(a => a.effect?.getTiming().iterations !== Infinity).map(a => a.finished.catch(() => {})))
    await document.fonts.ready
  })
}

async function shoot(page, name) {
  if (!SHOTS) return
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

/** What axe finds, one line each. Evaluated outside the page's own script rules, which forbid foreign scripts. */
async function violations(page) {
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations)
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')}`)
}
