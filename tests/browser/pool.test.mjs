// Several sittings on one wall: who watches whom over all of them, only one's own, one sitting of several.
import assert from 'node:assert/strict'
import { launch, openWindow } from '../support/chromium.mjs'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { Proctor, signIn } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

const OPEN_MS = 3_600_000
const SECOND = 'Екінші зал: кондитер'
const PASSWORD = 'correct horse battery'

/** Another sitting of the demo's programme, open now. */
async function newSitting(centre, title) {
  const [{ programme }] = await centre.json('/api/v1/centre/programmes')
  const now = Date.now()
  const { sitting } = await centre.post('/api/v1/centre/sittings', 'application/json',
    JSON.stringify({ title, programme, opens_at: now - 60_000, closes_at: now + OPEN_MS }))
  return sitting
}

/** One with two candidates. */
async function anotherSitting(centre) {
  const sitting = await newSitting(centre, SECOND)
  await centre.post(`/api/v1/centre/sittings/${sitting}/candidates`, 'text/csv', 'ФИО;ИИН\nЕсімова Сәуле Маратқызы;KZ:N0000009\nОспанов Ерлан Қайратұлы;KZ:N0000010\n')
  return sitting
}

/** A second proctor of the centre. */
async function colleague(centre) {
  const made = await centre.post('/api/v1/centre/staff', 'application/json',
    JSON.stringify({ login: 'second', name: 'Екінші Проктор', mail: '', roles: ['proctor'] }))
  await fetch(`${centre.base}/api/v1/staff/setup`, { method: 'POST', headers: { 'Content-Type': 'application/json', Origin: centre.base },
    body: JSON.stringify({ token: made.link.split('/').pop(), password: PASSWORD }) })
  return { login: 'second', password: PASSWORD }
}

exam('two sittings are watched as one pool by two proctors, each with a fair share', { seats: false }, async sitting => {
  const { demo } = sitting
  const centre = await sitting.centre()
  const second = await anotherSitting(centre)
  const browser = await launch({ devices: false })
  const proctor = await sitting.seat(Promise.resolve(Object.assign(new Proctor(), { browser })))
  proctor.page = await openWindow(browser, { lang: 'kk' })
  await proctor.page.goto(`${demo.links.base_url}/proctor/`)
  await signIn(proctor.page, demo.links.proctor)

  // From the list: two are chosen, and stand on one wall.
  await proctor.at('choose-open').click()
  await until('both are chosen', async () => await proctor.at('choose-sitting').evaluateAll(boxes => boxes.filter(box => box.checked).length) === 2)
  await lookInBoth(proctor.page, 'proctor/sittings')
  await proctor.at('together').click()
  await proctor.at('tile').first().waitFor()
  const all = await proctor.at('tile').count()
  const halls = await proctor.at('tile-hall').allInnerTexts()
  assert.equal(halls.length, all)
  assert.equal(halls.filter(hall => hall === SECOND).length, 2)
  const mine = async seat => Number(await seat.at('duty').getAttribute('data-mine'))
  await until('all are mine', async () => await mine(proctor) === all)
  assert.equal(await proctor.at('unwatched').count(), 0)

  // A colleague joins with the same wall: each has half, and a look at only one's own.
  const other = await sitting.seat(Proctor.open(demo, { lang: 'ru', account: await colleague(centre), sitting: new URL(proctor.page.url()).searchParams.get('sitting') }))
  await until('each has half', async () => Math.abs(await mine(proctor) - await mine(other)) <= 1 && await mine(proctor) + await mine(other) === all)
  await other.page.keyboard.press('o')
  await until('only their own are shown', async () => await other.at('tile').count() === await mine(other))
  assert.equal(Number(await other.at('hidden').getAttribute('data-hidden')), all - await mine(other))
  await lookInBoth(other.page, 'proctor/wall-mine')
  await other.at('only-mine').click()
  await until('all are shown again', async () => await other.at('tile').count() === all)

  // One sitting of the pool, and one word to it alone.
  await other.at('hall').selectOption(second)
  await until('one sitting is shown', async () => await other.at('tile').count() === 2)
  await other.page.keyboard.press('w')
  assert.equal(await other.at('everybody-hall').inputValue(), second, 'the sitting that is looked at is meant')
  await lookInBoth(other.page, 'proctor/everybody-pool')
  await other.page.keyboard.press('Escape')
  await other.page.keyboard.press('h')
  await other.at('duty-proctor').nth(1).waitFor()
  await other.at('notes-hall').selectOption(second)
  await other.at('shift-note').fill('В зале 2 один кандидат опаздывает.')
  await other.at('shift-note-add').click()
  await other.at('shift-notes').getByText('опаздывает').waitFor()
  await lookInBoth(other.page, 'proctor/duty-pool')
  await other.page.keyboard.press('Escape')

  // Who leaves hands over without a word; with nobody on duty the sign is loud.
  await other.close()
  await until('all are the first one\u2019s again', async () => await mine(proctor) === all)
  await proctor.page.keyboard.press('h')
  await proctor.at('duty-toggle').click()
  await proctor.page.keyboard.press('Escape')
  await proctor.at('unwatched').waitFor()
  await lookInBoth(proctor.page, 'proctor/unwatched')

  const nobody = await newSitting(centre, 'Үшінші зал')
  await proctor.page.goto(`${demo.links.base_url}/proctor/?sitting=${nobody}`)
  await proctor.at('wall-empty').waitFor()
  await lookInBoth(proctor.page, 'proctor/wall-empty')
})
