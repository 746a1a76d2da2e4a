// A sign-in that runs out in the middle of something, and two people who edit the same: nothing typed is lost, and
// nothing is sent as somebody else.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look, lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

/** The cookie is over, as after twelve hours. */
const runOut = page => page.context().clearCookies()

async function signInAgain(page, { login, password }) {
  const dialog = page.getByTestId('sign-in-again')
  await dialog.getByTestId('login').fill(login)
  await dialog.getByTestId('password').fill(password)
  await dialog.getByTestId('sign-in-submit').click()
}

exam('a sign-in that ran out in mid-form is made again in place, and another person sends nothing', { lang: 'kk', seats: false }, async sitting => {
  const { demo } = sitting
  const stored = async () => (await (await sitting.centre()).json('/api/v1/centre/profile')).profile.phone
  const centre = await sitting.seat(Centre.open(demo, { lang: 'kk' }))
  await centre.go('profile')
  await centre.at('profile-phone').fill('+7 727 111 11 11')
  await runOut(centre.page)
  await centre.at('profile-submit').click()
  await centre.at('again-form').waitFor()
  assert.equal(await centre.at('sign-in-again').getByTestId('login').inputValue(), demo.links.centre.login)
  await lookInBoth(centre.page, 'staff/again')
  await signInAgain(centre.page, demo.links.centre)
  await centre.at('profile-saved').waitFor()
  assert.equal(await stored(), '+7 727 111 11 11', 'what was typed was sent by itself')

  // Somebody else signs in in the dialog: the form stays, and is not theirs.
  await centre.at('profile-phone').fill('+7 727 222 22 22')
  await runOut(centre.page)
  await centre.at('profile-submit').click()
  await centre.at('again-form').waitFor()
  await signInAgain(centre.page, demo.links.commission)
  await centre.at('other-person').waitFor()
  await lookInBoth(centre.page, 'staff/again-other')
  assert.equal(await stored(), '+7 727 111 11 11')
  await centre.at('again-back').click()
  await centre.at('again-form').waitFor()
  await signInAgain(centre.page, demo.links.centre)
  await centre.at('profile-saved').waitFor()
  assert.equal(await stored(), '+7 727 222 22 22')

  // Somebody else signs in in another tab: the cookie is theirs, the page is not.
  await centre.at('profile-phone').fill('+7 727 333 33 33')
  const tab = await centre.page.context().newPage()
  await tab.goto(`${centre.base}/centre/`)
  const status = await tab.evaluate(async body => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch('/api/v1/staff/sign-in', { method: 'POST', headers, body: JSON.stringify(body) })).status
  }, { login: demo.links.commission.login, password: demo.links.commission.password })
  assert.equal(status, 200)
  await centre.at('profile-submit').click()
  await centre.at('other-person').waitFor()
  assert.equal(await stored(), '+7 727 222 22 22', 'nothing goes out as another person')
  assert.equal(await centre.at('profile-phone').inputValue(), '+7 727 333 33 33')
  await centre.at('again-other').click()
  await centre.at('nav-records').waitFor()
  assert.equal(await centre.at('sign-in-again').count(), 0, 'the page is the other person\'s now')
})

exam('a proctor whose sign-in ran out goes on where they were', { lang: 'ru' }, async sitting => {
  const { proctor, demo } = sitting
  await until('the wall is live', async () => await proctor.at('tile').count() > 0)
  await proctor.page.keyboard.press('h')
  await proctor.at('shift-note').fill('Кандидат справа ждёт.')
  await runOut(proctor.page)
  await proctor.at('shift-note-add').click()
  await proctor.at('again-form').waitFor()
  await look(proctor.page, 'staff/again', 'proctor')
  await signInAgain(proctor.page, demo.links.proctor)
  await proctor.at('shift-notes').getByText('Кандидат справа ждёт.').waitFor()
  assert.equal(await proctor.at('sign-in-again').count(), 0)
})

exam('of two people who edit the same the second is told, and both texts are there', { lang: 'ru', seats: false }, async sitting => {
  const { demo } = sitting
  const [one, two] = await Promise.all([1, 2].map(() => sitting.seat(Centre.open(demo, { lang: 'ru' }))))
  const both = async work => {
    await work(one)
    await work(two)
  }

  await both(seat => seat.go('profile'))
  await one.at('profile-phone').fill('+7 727 100 00 01')
  await one.at('profile-site').fill('one.example.kz')
  await two.at('profile-phone').fill('+7 727 200 00 02')
  await one.at('profile-submit').click()
  await one.at('profile-saved').waitFor()
  await two.at('profile-submit').click()
  const differs = field => two.page.locator(`[data-testid=differs][data-field=${field}]`)
  await differs('phone').getByTestId('stored').getByText('+7 727 100 00 01').waitFor()
  assert.equal(await two.at('profile-phone').inputValue(), '+7 727 200 00 02', 'what was typed stays')
  await lookInBoth(two.page, 'centre/profile-stale')
  await two.at('take-site').click()
  await two.at('profile-submit').click()
  await two.at('profile-saved').waitFor()
  const { profile } = await (await sitting.centre()).json('/api/v1/centre/profile')
  assert.deepEqual([profile.phone, profile.site], ['+7 727 200 00 02', 'one.example.kz'])

  const { rows: [{ sitting: id }] } = await (await sitting.centre()).json('/api/v1/centre/sittings')
  await both(async seat => {
    await seat.go(`sittings/${id}`)
    await seat.at('change-sitting').click()
    await seat.at('change-dialog').waitFor()
  })
  await one.at('change-title').fill('Первый зал')
  await one.at('reason').fill('Ремонт')
  await one.at('dialog-submit').click()
  await one.at('told').waitFor()
  await two.at('change-title').fill('Второй зал')
  await two.at('reason').fill('Холодно')
  await two.at('dialog-submit').click()
  await differs('title').getByTestId('stored').getByText('Первый зал').waitFor()
  assert.equal(await two.at('change-title').inputValue(), 'Второй зал')
  await lookInBoth(two.page, 'centre/sitting-stale')
  await two.at('dialog-submit').click()
  await two.at('told').waitFor()
  await two.page.locator('h1', { hasText: 'Второй зал' }).waitFor()

  await both(async seat => {
    await seat.go(`sittings/${id}`)
    await seat.at('candidate').last().getByTestId('change-candidate').click()
    await seat.at('candidate-dialog').waitFor()
  })
  await one.at('candidate-name').fill('Сарсенова Әлия')
  await one.at('reason').fill('По документу')
  await one.at('dialog-submit').click()
  await one.at('candidate-dialog').waitFor({ state: 'detached' })
  await two.at('candidate-name').fill('Сәрсенова Алия')
  await two.at('extra').fill('30')
  await two.at('reason').fill('Справка')
  await two.at('dialog-submit').click()
  await differs('name').waitFor()
  await two.at('take-name').click()
  assert.equal(await two.at('candidate-name').inputValue(), 'Сарсенова Әлия')
  await two.at('dialog-submit').click()
  await two.at('candidate').filter({ hasText: 'Сарсенова Әлия' }).getByText('30').first().waitFor()

  const [{ programme }] = await (await sitting.centre()).json('/api/v1/centre/programmes')
  await both(async seat => {
    await seat.go(`programmes/new/${programme}`)
    await seat.at('blueprint').waitFor()
  })
  await one.at('minutes').fill('50')
  await one.at('submit').click()
  await one.at('programme').first().waitFor()
  await two.at('minutes').fill('55')
  await two.at('submit').click()
  await differs('minutes').getByTestId('stored').getByText('50').waitFor()
  assert.equal(await two.at('minutes').inputValue(), '55')
  await lookInBoth(two.page, 'centre/compose-stale')
  await two.at('submit').click()
  await until('both are versions', async () => {
    const rows = await (await sitting.centre()).json('/api/v1/centre/programmes')
    return [50, 55].every(minutes => rows.some(row => row.minutes === minutes))
  })
})
