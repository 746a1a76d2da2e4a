// Forms of the centre: what is wrong stands at its field in one's own language and is where the cursor goes; two who edit
// one member of staff; a sitting of more candidates than a page shows.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look, lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

const HOUR_MS = 3_600_000
const MANY = 120
const PAGE = 100

const isFocused = locator => locator.evaluate(element => element === document.activeElement)

for (const lang of ['kk', 'ru']) {
  exam(`each mistake stands at its field in ${lang}`, { lang, seats: false }, async sitting => {
    const centre = await sitting.seat(Centre.open(sitting.demo, { lang }))
    const seen = screen => look(centre.page, `centre/${screen}`, 'forms')
    /** The mistakes that are shown, by their field. */
    const wrong = async fields => {
      await until(`mistakes at ${Object.keys(fields)}`, async () => {
        for (const [field, code] of Object.entries(fields)) {
          const error = centre.at(`${field}-error`)
          if (await error.count() === 0 || await error.getAttribute('data-code') !== code) return false
        }
        return true
      })
      for (const field of Object.keys(fields)) {
        assert.doesNotMatch(await centre.at(`${field}-error`).innerText(), /[a-z]{3} [a-z]{3}/, `${field} speaks ${lang}`)
      }
    }

    await centre.go('banks/gift')
    await centre.type({ 'gift-title-kk': 'Сұрақтар 😀', 'gift-title-ru': '\u202eВопросы', 'gift-slug': 'Сұрақ 1', 'gift-code': '75' })
    const file = name => ({ name, mimeType: 'text/plain', buffer: Buffer.from('::a:: А? {=Б ~В}\n') })
    for (const each of ['kk', 'ru']) await centre.at(`gift-${each}`).setInputFiles(file(`${each}.gift`))
    await centre.at('gift-check').click()
    await wrong({ slug: 'no_slug', title_kk: 'wrong_letters', nco_code: 'no_code' })
    assert(await isFocused(centre.at('gift-slug')), 'the first mistake is where the cursor is')
    await seen('gift')

    await centre.go('programmes/new')
    await centre.at('compose-form').waitFor()
    await centre.type({ 'title-kk': 'Бағдарлама', 'title-ru': '', slug: 'Бағдарлама', 'nco-code': 'x', 'profession-kk': 'אבג', minutes: '' })
    await centre.at('bank').selectOption({ index: 1 })
    await centre.at('blueprint').locator('input').first().fill('1')
    await centre.at('submit').click()
    await wrong({ slug: 'no_slug', nco_code: 'no_code', title_ru: 'empty', profession_kk: 'wrong_letters', basis_ru: 'empty', minutes: 'range' })
    assert.equal(await centre.at('mistake').count(), 0, 'no table of lines of a file that nobody wrote')
    await seen('compose')

    await centre.go('sittings/new')
    await centre.at('new-sitting-form').waitFor()
    const proposed = await centre.at('opens').inputValue()
    const hour = Number(proposed.slice(11, 13))
    assert(hour >= 9 && hour <= 14 && ![0, 6].includes(new Date(`${proposed}Z`).getUTCDay()), proposed)
    await centre.type({ title: 'Топ 😀', capacity: '0' })
    await centre.at('programme').selectOption({ index: 1 })
    await centre.at('submit').click()
    await wrong({ title: 'wrong_letters', capacity: 'range' })
    await seen('sitting-new')
    await centre.type({ title: 'Таңғы топ', capacity: '1', opens: '2020-01-01T09:00', closes: '2020-01-01T12:00' })
    await centre.at('submit').click()
    await centre.at('closes-error').waitFor()
    await centre.type({ opens: proposed, closes: proposed.replace(/T\d\d/, 'T17') })
    await centre.at('submit').click()
    await centre.at('add-candidates').waitFor()

    await centre.at('add-one').click()
    await centre.type({ 'candidate-name': 'Иванов 😀', 'candidate-identity': '123456789012', 'candidate-email': 'а@example.kz', extra: '9999' })
    await centre.at('dialog-submit').click()
    await wrong({ name: 'name_characters', identity: 'iin_check_digit', email: 'email', extra: 'extra_minutes' })
    await seen('candidate-add')
    // As it is pasted: invisible marks and the spaces of a word processor.
    await centre.type({ 'candidate-name': '\u200eСәрсенова\u00a0Ә\u00adлия', 'candidate-identity': '\u200e1234 5678 9013', 'candidate-email': ' a@example.kz\u200b', extra: '' })
    await centre.at('dialog-submit').click()
    await centre.at('candidate').filter({ hasText: 'Сәрсенова Әлия' }).waitFor()
    assert.equal(await centre.at('candidate-dialog').count(), 0)
    await centre.at('add-one').click()
    await centre.type({ 'candidate-name': 'Ким Виктор', 'candidate-identity': 'PASSPORT:AB1234567' })
    await centre.at('dialog-submit').click()
    await centre.at('dialog-fault').waitFor()
    await centre.at('dialog-close').click()

    await centre.at('change-sitting').click()
    await centre.type({ 'change-title': '', 'change-capacity': '2', reason: 'Сынақ' })
    await centre.at('dialog-submit').click()
    await wrong({ title: 'empty' })
    await centre.at('change-title').fill('Кешкі топ')
    await centre.at('dialog-submit').click()
    await centre.at('told').waitFor()
    await centre.at('add-one').click()
    await centre.type({ 'candidate-name': 'Ким Виктор', 'candidate-identity': 'PASSPORT:AB1234567' })
    await centre.at('dialog-submit').click()
    await until('two candidates', async () => await centre.at('candidate').count() === 2)
    await centre.at('change-sitting').click()
    await centre.type({ 'change-capacity': '1', reason: 'Сынақ' })
    await centre.at('dialog-submit').click()
    await wrong({ capacity: 'places_taken' })
    await seen('sitting-change')
  })
}

exam('of two who edit one member of staff the second is told, and both texts are there', { lang: 'ru', seats: false }, async sitting => {
  const { demo } = sitting
  const [one, two] = await Promise.all([1, 2].map(() => sitting.seat(Centre.open(demo, { lang: 'ru' }))))
  const member = seat => seat.page.locator(`[data-testid=member][data-login="${demo.links.proctor.login}"]`)
  for (const seat of [one, two]) {
    await seat.go('staff')
    await member(seat).getByTestId('edit').click()
    await seat.at('member-dialog').waitFor()
  }
  await one.at('member-mail').fill('one@example.kz')
  await one.at('role-author').check()
  await one.at('member-submit').click()
  await one.at('member-dialog').waitFor({ state: 'detached' })
  await two.at('member-name').fill('Ким Виктор Сергеевич')
  await two.at('member-mail').fill('two@example.kz')
  await two.at('member-submit').click()
  const differs = field => two.page.locator(`[data-testid=differs][data-field=${field}]`)
  await differs('mail').getByTestId('stored').getByText('one@example.kz').waitFor()
  assert.equal(await two.at('member-name').inputValue(), 'Ким Виктор Сергеевич', 'what was typed stays')
  assert.equal(await two.at('member-fault').count(), 0, 'said once')
  await lookInBoth(two.page, 'centre/staff-stale')
  await two.at('take-roles').click()
  await two.at('take-mail').click()
  await two.at('member-submit').click()
  await two.at('member-dialog').waitFor({ state: 'detached' })
  const { members } = await (await sitting.centre()).json('/api/v1/centre/staff')
  const stored = members.find(({ login }) => login === demo.links.proctor.login)
  assert.deepEqual([stored.name, stored.mail, stored.roles], ['Ким Виктор Сергеевич', 'one@example.kz', ['proctor', 'author'].sort((a, b) => stored.roles.indexOf(a) - stored.roles.indexOf(b))])

  // Each ticks another role of the same rule, over a page that does not know of the other's tick.
  await one.at('rule-auditor').check()
  await until('the first tick is stored', async () => (await (await sitting.centre()).json('/api/v1/centre/staff')).second_factor.includes('auditor'))
  await two.at('rule-author').check()
  await until('both ticks are stored', async () => (await (await sitting.centre()).json('/api/v1/centre/staff')).second_factor.length === 2)
})

exam('a sitting of many is searched and paged, and printed whole', { lang: 'kk', seats: false }, async sitting => {
  const staff = await sitting.centre()
  const [{ programme }] = await staff.json('/api/v1/centre/programmes')
  const opens_at = Date.now() + HOUR_MS
  const row = await staff.post('/api/v1/centre/sittings', 'application/json', JSON.stringify({ title: 'Үлкен топ', programme, opens_at, closes_at: opens_at + HOUR_MS, capacity: null }))
  const list = Array.from({ length: MANY }, (_, line) => `Әлия Сәрсенова;PASSPORT:N${1000 + line};many-${line}@example.kz`)
  await staff.post(`/api/v1/centre/sittings/${row.sitting}/candidates`, 'text/csv', ['name;iin;email', ...list].join('\n'))
  const centre = await sitting.seat(Centre.open(sitting.demo, { lang: 'kk' }))
  await centre.go(`sittings/${row.sitting}`)
  const shown = () => centre.at('candidate').count()
  await until('a page of candidates', async () => await shown() === PAGE)
  await look(centre.page, 'centre/sitting', 'many')
  await centre.at('page-next').first().click()
  await until('the rest', async () => await shown() === MANY - PAGE)
  await centre.at('search').fill('many-7@')
  await until('the one', async () => await shown() === 1)
  await centre.at('search').fill('')
  await centre.page.evaluate(() => window.dispatchEvent(new Event('beforeprint')))
  assert.equal(await shown(), MANY, 'everybody stands on paper')
  await centre.page.evaluate(() => window.dispatchEvent(new Event('afterprint')))
  await until('a page again', async () => await shown() < MANY)
})
