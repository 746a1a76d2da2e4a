// The proctor's alerts beside the wall: one key rules, puts off, or takes a slip back.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'
import { Candidate } from './seat/candidate.mjs'

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
  await proctor.page.keyboard.press('d')
  await proctor.at('undo-bar').getByTestId('undo').waitFor()
  assert.equal((await incident()).status, 'dismissed', 'the server has it at once')
  await proctor.page.keyboard.press('u')
  await now.waitFor()
  assert.equal((await incident()).status, 'open')
  await proctor.page.keyboard.press('d')
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
