// The proctor's alerts beside the wall: one key rules, puts off, or takes a slip back.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'
import { Virtuals } from '../support/virtual.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Proctor } from './seat/proctor.mjs'

const CODE = 'SECOND_CONNECTION'

exam('an alert is ruled on by one key, a dismissal is taken back by another, and none is lost with the page', { lang: 'kk' }, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  await proctor.page.keyboard.press('Escape')
  // Somebody opens the same link elsewhere: that waits for a person.
  const stranger = await sitting.seat(Candidate.open(sitting.link, { lang: 'kk' }))
  await stranger.at('begin-device').click()
  const now = proctor.at('triage-now')
  await now.waitFor()
  assert.equal(await now.getAttribute('data-code'), CODE)
  const confirm = now.getByTestId('confirm')
  assert.match(await confirm.innerText(), /бірінші: ескерту беріледі/, 'what confirming does stands on the button')
  await until('it was looked at', async () => await proctor.at('looked-at').getAttribute('data-pct') === '100')
  assert.match(await proctor.at('work-left').innerText(), /1 мин/)
  await lookInBoth(proctor.page, 'proctor/alerts')

  await proctor.page.keyboard.press('z')
  await now.waitFor({ state: 'detached' })
  await proctor.page.keyboard.press('j')
  await now.waitFor()

  const incident = async () => (await sitting.detail()).incidents.find(({ code }) => code === CODE)
  await proctor.rule('d')
  await proctor.at('undo-bar').getByTestId('undo').waitFor()
  assert.equal((await incident()).status, 'dismissed', 'the server has it at once')
  await proctor.page.keyboard.press('u')
  await now.waitFor()
  assert.equal((await incident()).status, 'open')
  await proctor.rule('d')
  await proctor.at('undo-bar').getByTestId('undo').waitFor()
  await lookInBoth(proctor.page, 'proctor/undo')
  // Gone with the page, it is ruled on all the same.
  await proctor.page.reload()
  await proctor.at('tile').first().waitFor()
  const kinds = async () => (await sitting.detail()).timeline.map(({ kind }) => kind)
  await until('the dismissal is final', async () => (await kinds()).includes('dismissal_final'), 60_000)
  assert.equal((await incident()).status, 'dismissed')
  assert.equal((await kinds()).filter(kind => kind === 'incident_reopened').length, 1)
  assert.equal(await proctor.at('triage-now').count(), 0)
  assert.equal(await candidate.at('screen-exam').count(), 1, 'the exam goes on')
})

exam('a key pressed twice rules on one alert: the next has not been seen yet', { seats: false, lang: 'ru' }, async sitting => {
  const links = sitting.demo.links.candidate_links.slice(0, 2)
  const proctor = await sitting.seat(Proctor.open(sitting.demo))
  const virtuals = await sitting.seat(Virtuals.open(links))
  const coming = virtuals.all('prepare')
  for (let left = links.length; left > 0; left--) {
    await proctor.at('queue-item').first().waitFor({ timeout: 60_000 })
    await proctor.page.keyboard.press('n')
    await proctor.at('admit').waitFor({ timeout: 60_000 })
    await proctor.admit()
    await proctor.page.keyboard.press('Escape')
  }
  await coming
  await virtuals.all('read')
  await virtuals.all('begin')
  await virtuals.one(0, 'signal', 'SECOND_SCREEN', 'seen')
  await virtuals.one(1, 'signal', 'SECOND_SCREEN', 'seen')
  const now = proctor.at('triage-now')
  await proctor.at('alert').first().waitFor()
  const first = await now.getAttribute('data-session')
  // The second press comes the moment the next alert stands there: as a hand does that is faster than the eye.
  await now.evaluate(section => new MutationObserver(() => {
    globalThis.presses = (globalThis.presses ?? 0) + 1
    window.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyD', key: 'd' }))
  }).observe(section, { attributes: true, attributeFilter: ['data-session'] }))
  await proctor.rule('d')
  await until('the other alert stands there', async () => await now.getAttribute('data-session') !== first)
  await now.locator('[data-testid=incident][data-seen=true]').waitFor()
  assert.equal(await proctor.page.evaluate(() => globalThis.presses), 1)
  const centre = await sitting.centre()
  const ruledOn = async session => (await centre.json(`/api/v1/centre/sessions/${session}`)).incidents.map(({ status }) => status)
  const second = await now.getAttribute('data-session')
  assert.deepEqual([await ruledOn(first), await ruledOn(second)], [['dismissed'], ['open']])
  await proctor.rule('d')
  await until('that one too', async () => (await ruledOn(second))[0] === 'dismissed')
})
