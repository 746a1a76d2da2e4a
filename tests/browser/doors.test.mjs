// Doors that do not open at once, in kk and ru: a wrong link, a queue, a wrong password, another's seat, a second factor that
// is asked for, a server that does not answer. Each says what to do.
import assert from 'node:assert/strict'
import { launch, openWindow } from '../support/chromium.mjs'
import { lookInBoth } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Centre } from './seat/centre.mjs'
import { signIn } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

exam('a candidate at a wrong link and in a queue is told what to do, and comes in by themselves', { seats: false }, async sitting => {
  const { link } = sitting
  const candidate = await sitting.seat(Candidate.open(`${link.slice(0, -4)}wrng`, { lang: 'kk', devices: false }))
  await candidate.page.locator('[data-testid=failed][data-code=link_invalid]').waitFor()
  await lookInBoth(candidate.page, 'candidate/link-wrong')

  // All seats are taken, as a server says it that has too many candidates.
  const door = '**/api/v1/candidate/ticket'
  const taken = { type: 'about:blank', title: 'All seats are taken', status: 503, code: 'exam_full_queue', position: 3, retry_after_ms: 2_000 }
  await candidate.page.route(door, route => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(taken) }))
  await candidate.page.goto(link)
  await candidate.at('begin-device').click()
  await candidate.at('queue-place').waitFor()
  assert.match(await candidate.at('queue-place').innerText(), /3/)
  await lookInBoth(candidate.page, 'candidate/queue')
  await candidate.page.unroute(door)
  await candidate.screen('language', 60_000)
})

exam('staff at a door that is not theirs or asks for more are told where to go', { seats: false }, async sitting => {
  const { demo } = sitting
  const browser = await launch({ devices: false })
  const page = await openWindow(browser, { lang: 'kk' })
  const at = id => page.getByTestId(id)
  await sitting.seat(Promise.resolve({ page, close: () => browser.close(), soundPage: () => assert.deepEqual(page.faults, []) }))
  const open = async path => {
    await page.goto(demo.links.base_url + path)
  }

  await open('/proctor/')
  await at('login').fill(demo.links.author.login)
  await at('password').fill('дұрыс емес құпиясөз')
  await at('sign-in-submit').click()
  await at('sign-in-fault').waitFor()
  await lookInBoth(page, 'staff/sign-in-wrong')
  await signIn(page, demo.links.author)
  await page.locator('a[href="/centre/"]').waitFor()
  await lookInBoth(page, 'staff/no-role')

  // The page is there, what it asks for does not come; asked again, it does.
  const banks = '**/api/v1/centre/banks'
  await page.route(banks, route => route.abort())
  await open('/centre/banks')
  await page.locator('[data-code=network]').waitFor()
  await lookInBoth(page, 'staff/unreachable')
  await page.unroute(banks)
  await page.locator('[data-code=network]').getByRole('button').click()
  await at('row').first().waitFor()

  const head = await sitting.seat(Centre.open(demo, { lang: 'kk', browser }))
  await head.visit('staff')
  await head.at('rule-proctor').check()
  const proctor = await openWindow(browser, { lang: 'kk' })
  await proctor.goto(`${demo.links.base_url}/proctor/`)
  await signIn(proctor, demo.links.proctor)
  await proctor.getByTestId('to-account').waitFor()
  await lookInBoth(proctor, 'staff/factor-due')
  await proctor.getByTestId('to-account').click()
  await proctor.getByTestId('factor-required').waitFor()
})
