// Days before the exam: an empty installation becomes a centre with people, a programme and a sitting.
import assert from 'node:assert/strict'
import { until } from '../../support/demo.mjs'
import { gift } from '../../support/key.mjs'
import { look, lookInBoth } from '../look.mjs'
import { Centre } from '../seat/centre.mjs'
import { CANDIDATES, CENTRE, PASSWORD, STAFF, list } from './people.mjs'

export const HOUR_MS = 3_600_000
const ALMATY_MS = 5 * HOUR_MS
/** What the programme asks: of so many topics so many questions each; the bank holds one more of each. */
const TOPICS = 5
const EACH = 2
export const QUESTIONS = TOPICS * EACH
export const TITLE = 'Кондитер, таңғы топ'

/** As the field for date and time has it. */
export const field = at => new Date(at + ALMATY_MS).toISOString().slice(0, 16)

/** By the link that the administrator handed over: a password, then the pages of an empty centre. */
export async function headArrives(sitting, browser) {
  const { demo } = sitting
  const link = await demo.addCentre(CENTRE)
  demo.secrets.push(PASSWORD, CENTRE.name, new URL(link).pathname.split('/').at(-1))
  const head = await sitting.seat(Centre.arrive(demo, link, { lang: 'kk', browser }))
  await head.setPassword('қысқа')
  await head.at('set-up').getByText('12 таңбадан қысқа').waitFor()
  await look(head.page, 'centre/set-up', 'day')
  await head.setPassword(PASSWORD)
  await head.at('set-up-done').waitFor()
  await head.at('set-up-done').getByRole('link').first().click()
  await head.loaded()
  demo.links.centre = { login: CENTRE.login, password: PASSWORD }
  await head.at('first-steps').waitFor()
  assert.equal(await head.page.locator('[data-testid=step][data-done=true]').count(), 0, 'nothing is there yet')
  await look(head.page, 'centre/first-steps', 'day')
  return head
}

/** What the centre says of itself; a slip keeps everything that was typed. */
export async function profile(head) {
  await head.visit('profile')
  const typed = {
    'profile-address_kk': 'Алматы қаласы, Абай даңғылы, 10', 'profile-address_ru': 'город Алматы, проспект Абая, 10', 'profile-phone': 'жоқ',
    'profile-mail': 'info@example.kz', 'profile-site': 'https://example.kz', 'profile-certificate': 'KZ.00.0000001',
    'profile-issued_on': '2026-01-15', 'profile-expires_on': '2031-01-14', appeals_kk: 'Апелляция 5 жұмыс күні ішінде info@example.kz арқылы.',
    appeals_ru: 'Апелляция в течение 5 рабочих дней через info@example.kz.',
  }
  await head.type(typed)
  await head.at('accreditation_kind').selectOption('nce')
  await head.at('profile-submit').click()
  await head.at('phone-error').waitFor()
  assert.equal(await head.at('profile-site').inputValue(), typed['profile-site'], 'nothing typed is lost')
  await look(head.page, 'centre/profile', 'day')
  await head.at('profile-phone').fill('+7 727 000 00 00')
  await head.at('profile-submit').click()
  await head.at('profile-saved').waitFor()
}

/** Everybody is invited by mail and sets a password by the link in the letter. Their windows, by seat. */
export async function invites(sitting, head, browser) {
  const { demo } = sitting
  await head.visit('staff')
  for (const { login, name, mail, role } of Object.values(STAFF)) {
    demo.secrets.push(name)
    await head.at('invite').click()
    await head.at('member-dialog').waitFor()
    await head.type({ 'member-login': login, 'member-name': name, 'member-mail': mail })
    await head.at(`role-${role}`).check()
    if (login === STAFF.author.login) await look(head.page, 'centre/invite', 'day')
    await head.at('member-submit').click()
    await head.at('member-dialog').waitFor({ state: 'detached' })
    await head.page.locator(`[data-testid=member][data-login=${login}][data-state=invited]`).waitFor()
  }
  const seats = {}
  for (const [seat, { login, mail, lang }] of Object.entries(STAFF)) {
    const newcomer = await sitting.seat(Centre.arrive(demo, await demo.linkTo(mail), { lang, browser }))
    assert(demo.letters(mail)[0].includes(login), 'the letter says the login')
    await newcomer.setPassword(PASSWORD)
    await newcomer.at('set-up-done').waitFor()
    seats[seat] = newcomer
    demo.links[seat] = { login, password: PASSWORD }
  }
  await head.visit('overview')
  await head.visit('staff')
  for (const { login } of Object.values(STAFF)) await head.page.locator(`[data-testid=member][data-login=${login}][data-state=active]`).waitFor()
  await look(head.page, 'centre/staff', 'day')
  return seats
}

/** The author brings questions out of another program, and makes the programme on the page. */
export async function programme(author) {
  await author.at('set-up-done').getByRole('link').first().click()
  await author.loaded()
  await author.visit('banks')
  await author.at('import-gift').click()
  await author.loaded()
  await author.type({ 'gift-title-kk': 'Кондитер: сұрақтар', 'gift-title-ru': 'Кондитер: вопросы', 'gift-slug': 'konditer', 'gift-code': '7512' })
  const essay = { kk: '\n::essay:: Қамыр туралы жазыңыз. {}\n', ru: '\n::essay:: Напишите о тесте. {}\n' }
  const alone = '\n::alone:: Только по-русски? {=Да ~Нет}\n'
  const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
  const questions = lang => gift(lang, { topics: TOPICS, each: EACH + 1 })
  await author.at('gift-kk').setInputFiles(file('kk.gift', questions('kk') + essay.kk))
  await author.at('gift-ru').setInputFiles(file('ru.gift', questions('ru') + essay.ru + alone))
  await author.at('gift-check').click()
  await author.at('gift-found').waitFor()
  const row = name => author.at('gift-report').getByTestId('row').filter({ hasText: name })
  assert.match(await row('essay').innerText(), /возвращён[\s\S]*Эссе оценивает человек/)
  assert.match(await row('alone').innerText(), /возвращён[\s\S]*На втором языке такого вопроса нет/)
  await look(author.page, 'centre/gift', 'day')
  await author.at('gift-take').click()
  await author.at('imported').waitFor()

  await author.visit('programmes')
  await author.at('compose-programme').first().click()
  await author.at('compose-form').waitFor()
  await author.type({
    'title-kk': '«Кондитер» кәсібі: теориялық кезең', 'title-ru': 'Профессия «Кондитер»: теоретический этап', slug: 'konditer-theory', 'nco-code': '7512',
    'profession-kk': 'Кондитер', 'profession-ru': 'Кондитер', 'basis-kk': '«Кондитер» кәсіптік стандарты', 'basis-ru': 'Профессиональный стандарт «Кондитер»', minutes: '45',
  })
  await author.at('bank').selectOption({ index: 1 })
  for (const count of await author.at('blueprint').locator('input').all()) await count.fill(String(EACH))
  assert.equal(await author.at('total').innerText(), String(QUESTIONS))
  await author.at('break-stops-clock').check()
  await look(author.page, 'centre/compose', 'day')
  await author.at('submit').click()
  await author.at('programme').filter({ hasText: 'konditer-theory' }).waitFor()
}

/** A sitting that opens in half an hour, so that candidates may come in already; filled by pasting a list, and the links mailed. Its id. */
export async function arranged(sitting, head) {
  await head.visit('sittings')
  await head.at('new-sitting').click()
  await head.at('new-sitting-form').waitFor()
  await head.at('title').fill(TITLE)
  await head.at('programme').selectOption({ index: 1 })
  await head.type({ opens: field(Date.now() + HOUR_MS / 2), closes: field(Date.now() + 4 * HOUR_MS), capacity: '20' })
  await head.at('submit').click()
  await head.at('add-candidates').waitFor()
  await lookInBoth(head.page, 'centre/sitting-empty')
  sitting.demo.secrets.push(...CANDIDATES.flatMap(({ name, document }) => [name, document]))
  await head.at('paste').fill(list({ wrong: true }))
  await head.at('submit').click()
  await head.at('mistake').first().waitFor()
  assert.equal(await head.at('mistake').count(), 1)
  assert.equal(await head.at('candidate').count(), 0, 'a list with a slip changes nothing')
  await lookInBoth(head.page, 'centre/list-mistakes')
  await head.at('paste').fill(list())
  await head.at('submit').click()
  await head.at('added').waitFor()
  await until('everybody is in the list', async () => await head.at('candidate').count() === CANDIDATES.length)

  await head.at('letters').locator('summary').click()
  await head.at('send-links').click()
  await head.at('posted').waitFor()
  await until('all letters are said to be sent', async () =>
    await head.page.locator('[data-testid=letter][data-state=sent]').count() === CANDIDATES.length, 60_000)
  await lookInBoth(head.page, 'centre/letters')
  const links = []
  for (const { email } of CANDIDATES) links.push(await sitting.demo.linkTo(email))
  assert.equal(new Set(links).size, CANDIDATES.length)
  return { id: new URL(head.page.url()).pathname.split('/').at(-1), links }
}
