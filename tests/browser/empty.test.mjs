// A centre in which nothing is yet: each page says what comes first, and whoever may do it finds the way there.
import assert from 'node:assert/strict'
import { launch, openWindow } from '../support/chromium.mjs'
import { Staff } from '../support/staff.mjs'
import { CENTRE, PASSWORD } from './day/people.mjs'
import { lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { signIn } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

/** Somebody with all the other roles, whose password is set. */
async function colleague(demo) {
  const head = await Staff.signIn(demo, demo.links.centre)
  const one = { login: 'saule', name: 'Ибраимова Сәуле Нұрланқызы', mail: 'saule@example.kz', roles: ['proctor', 'commission'] }
  await head.post('/api/v1/centre/staff', 'application/json', JSON.stringify(one))
  demo.secrets.push(one.name)
  return { login: one.login, link: await demo.linkTo(one.mail) }
}

exam('an empty centre says on each page what comes first', { empty: true }, async sitting => {
  const { demo } = sitting
  const browser = await launch({ devices: false })
  await sitting.seat(Promise.resolve({ close: () => browser.close() }))
  const link = await demo.addCentre(CENTRE)
  demo.secrets.push(PASSWORD, CENTRE.name, new URL(link).pathname.split('/').at(-1))
  const head = await sitting.seat(Centre.arrive(demo, link, { lang: 'kk', browser }))
  await head.setPassword(PASSWORD)
  await head.at('set-up-done').getByRole('link').first().click()
  await head.at('first-steps').waitFor()
  await head.loaded()
  await lookInBoth(head.page, 'centre/first-steps')
  for (const [section, ways] of [['banks', 1], ['programmes', 2], ['sittings', 1], ['results', 1]]) {
    await head.visit(section)
    await head.at('empty').waitFor()
    assert(await head.at('empty').getByRole('link').count() >= ways, `${section}: a way to what comes first`)
    await lookInBoth(head.page, `centre/no-${section}`)
  }

  demo.links.centre = { login: CENTRE.login, password: PASSWORD }
  const { login, link: theirs } = await colleague(demo)
  const newcomer = await sitting.seat(Centre.arrive(demo, theirs, { lang: 'kk', browser }))
  await newcomer.setPassword(PASSWORD)
  await newcomer.at('set-up-done').waitFor()
  await newcomer.go('records')
  await newcomer.at('empty').waitFor()
  await lookInBoth(newcomer.page, 'commission/no-records')
  const proctor = await openWindow(browser, { lang: 'kk' })
  await proctor.goto(`${demo.links.base_url}/proctor/`)
  await signIn(proctor, { login, password: PASSWORD })
  await proctor.getByTestId('no-sittings').waitFor()
  await lookInBoth(proctor, 'proctor/no-sittings')
  assert.deepEqual(proctor.faults, [])
})
