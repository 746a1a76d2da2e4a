// Long lists: forty sittings and a hundred candidates are searched, sorted and paged by the server, and taken away as
// files; the overview says what has reached the platform and how long the disk lasts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { until } from '../support/demo.mjs'
import { look } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

const HOUR_MS = 3_600_000
const SITTINGS = 40
const CANDIDATES = 100

for (const lang of ['kk', 'ru']) {
  exam(`lists are searched, sorted, paged and exported in ${lang}`, { lang, seats: false }, async sitting => {
    const staff = await sitting.centre()
    const programmes = await staff.json('/api/v1/centre/programmes')
    for (let number = 1; number <= SITTINGS; number++) {
      const opens_at = Date.now() + number * HOUR_MS
      const row = await staff.post('/api/v1/centre/sittings', 'application/json', JSON.stringify({ title: `Сессия ${number}`, programme: programmes[0].programme, opens_at, closes_at: opens_at + HOUR_MS, capacity: null }))
      if (number > 1) continue
      const list = Array.from({ length: CANDIDATES }, (_, line) => `Әлия Сәрсенова ${line};PASSPORT:N${1000 + line}`)
      await staff.post(`/api/v1/centre/sittings/${row.sitting}/candidates`, 'text/csv', ['name;iin', ...list].join('\n'))
    }
    const { all } = await staff.json('/api/v1/centre/sittings')
    const centre = await sitting.seat(Centre.open(sitting.demo, { lang }))
    const rows = testid => centre.at(testid).getByTestId('row')
    const texts = testid => rows(testid).allInnerTexts()

    assert.ok(await centre.at('storage').getAttribute('data-kept'))
    await centre.at('delivery-overview').waitFor()
    await look(centre.page, 'centre/overview-full')

    await centre.go('sittings')
    await until('a page of sittings', async () => await rows('sittings').count() === 25)
    await centre.at('page-next').click()
    await until('the rest of them', async () => await rows('sittings').count() === all - 25)
    await centre.at('search').fill('сессия 39')
    await until('one sitting', async () => await rows('sittings').count() === 1)
    assert.match((await texts('sittings'))[0], /Сессия 39/)

    await centre.go('results')
    await until('a page of results', async () => await rows('results').count() === 25)
    await look(centre.page, 'centre/results-full')
    await centre.at('sort-name').click()
    await until('sorted by name', async () => (await centre.at('results').locator('[aria-sort]').getAttribute('aria-sort')) === 'ascending')
    await centre.at('search').fill('ӘЛИЯ сәрс 99')
    await until('one candidate', async () => await rows('results').count() === 1)
    const files = {}
    for (const format of ['csv', 'xlsx']) {
      const [download] = await Promise.all([centre.page.waitForEvent('download'), centre.at(format === 'csv' ? 'export' : 'export-xlsx').click()])
      assert.equal(download.suggestedFilename(), `synaq-results.${format}`)
      files[format] = readFileSync(await download.path())
    }
    assert.match(files.csv.toString(), /Әлия Сәрсенова 99/)
    assert.equal(files.csv.toString().trim().split('\r\n').length, 2, 'what was searched for, under a head')
    assert.equal(files.xlsx.subarray(0, 2).toString(), 'PK')
    await centre.at('search').fill('никого такого')
    await centre.at('nothing-found').waitFor()
    await look(centre.page, 'centre/results-nothing')
    await centre.at('state-filter').selectOption('approved')
    await centre.at('search').fill('')
    await centre.at('nothing-found').waitFor()
  })
}
