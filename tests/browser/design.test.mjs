// The design page is made of the apps' own parts: every pair of colours has the contrast it needs, light and dark, and
// nothing overflows in kk and ru.
import assert from 'node:assert/strict'
import { launch, openWindow } from '../support/chromium.mjs'
import { look } from './look.mjs'
import { exam } from './sitting.mjs'

for (const lang of ['kk', 'ru']) {
  exam(`the design page is sound in ${lang}, light and dark`, { lang, seats: false }, async sitting => {
    const browser = await launch({ devices: false })
    const page = await openWindow(browser, { lang })
    await sitting.seat(Promise.resolve({ page, close: () => browser.close(), soundPage: () => assert.deepEqual(page.faults, []) }))
    const at = id => page.getByTestId(id)
    await page.goto(`${sitting.demo.links.base_url}/centre/design`)
    await at('design').waitFor()
    for (const theme of ['light', 'dark']) {
      await at('theme').selectOption(theme)
      const pairs = await at('pair').evaluateAll(rows => rows.map(row => ({ said: row.innerText, fits: row.dataset.fits === 'true' })))
      assert(pairs.length >= 15, `${pairs.length} pairs`)
      assert.deepEqual(pairs.filter(pair => !pair.fits), [], theme)
      assert(await at('colour').count() >= 15 && await at('icon').count() >= 40 && await at('size').count() >= 5)
      await look(page, `design/${theme}`)
    }
    await at('theme').selectOption('system')
    await at('open-dialog').click()
    await at('design-dialog').waitFor()
    await look(page, 'design/dialog')
    await page.keyboard.press('Escape')
    await at('design-dialog').waitFor({ state: 'detached' })
    await at('design-table').getByTestId('search').fill('zzz')
    await at('nothing-found').waitFor()
  })
}
