// The warning-then-termination rule before a real page: NB-20 and scenarios 2 to 6 of the rules.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'

/** Class `human`, of different kinds, so that no two of them merge. */
const PHONE = 'FORBIDDEN_ITEM'
const PERSON = 'SECOND_PERSON'

/** The incidents as the log has them: code and consequence, oldest first. */
async function consequences(sitting) {
  const { incidents } = await sitting.detail()
  return incidents.toSorted((a, b) => a.no - b.no).map(({ code, consequence }) => [code, consequence ?? null])
}

exam('the page hidden twice: a warning, then the automatic end without any click', { lang: 'kk' }, async sitting => {
  const { candidate } = sitting
  await sitting.reachExam()
  await candidate.hide()
  await until('the warning is given', async () => (await sitting.detail()).row.summary.warnings === 1)
  await candidate.show()
  await candidate.at('warning').waitFor()
  assert.equal(await candidate.at('question-text').count(), 0, 'the questions are covered')
  await candidate.acknowledgeWarning()
  await candidate.at('warned').waitFor()

  await candidate.hide()
  await candidate.at('attention-countdown').waitFor()
  await lookInBoth(candidate.page, 'candidate/attention')
  const end = await candidate.end(90_000)
  assert.equal(end.reason, 'violation')
  await lookInBoth(candidate.page, 'candidate/end-violation')
  assert.equal(end.passed, undefined, 'the law knows no score then')
  assert.deepEqual(await consequences(sitting), [['WINDOW_BLUR', 'warning'], ['WINDOW_BLUR', 'termination']])
  const { row } = await sitting.sealed()
  assert.equal(row.summary.finish, 'violation')
})

exam('recorded by the proctor: another kind of violation after the acknowledgement ends the exam', {}, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  await candidate.answer(true)
  await candidate.allSaved()
  await proctor.record(PHONE, { note: 'Телефон на столе' })
  await candidate.at('warning').waitFor()
  assert.match(await candidate.at('warning').innerText(), /Телефон на столе/)
  await candidate.acknowledgeWarning()
  await proctor.warningEffective()
  await proctor.record(PERSON)
  const end = await candidate.end()
  assert.equal(end.reason, 'violation')
  assert.deepEqual(await consequences(sitting), [[PHONE, 'warning'], [PERSON, 'termination']])
})

exam('a second incident that began before the warning took effect is kept, not counted', {}, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  const began = Date.now()
  const clock = candidate.at('clock')
  const seconds = async () => Number((await clock.innerText()).split(':').at(-1))
  const start = await seconds()
  await until('the exam is a few seconds old', async () => (start - await seconds() + 60) % 60 >= 4)
  await proctor.record(PHONE)
  await candidate.at('warning').waitFor()
  await candidate.acknowledgeWarning()
  await proctor.warningEffective()
  // Some seconds before the warning was shown, reported only now.
  await proctor.record(PERSON, { agoMs: Date.now() - began - 1_000 })
  await until('the second incident is in the log', async () => (await consequences(sitting)).length === 2)
  assert.deepEqual(await consequences(sitting), [[PHONE, 'warning'], [PERSON, 'none']])
  await candidate.answer(true)
  await candidate.allSaved()
  assert.equal(await candidate.at('screen-exam').count(), 1, 'the exam goes on')
})

exam('disconnected during the warning: it still waits after the reconnect, and stays the first', { cable: true }, async sitting => {
  const { candidate, proctor, line } = sitting
  await sitting.reachExam()
  line.cut()
  await candidate.at('offline').waitFor()
  await proctor.record(PHONE)
  await until('the warning is given', async () => (await sitting.detail()).row.summary.warnings === 1)
  assert.equal(await candidate.at('warning').count(), 0, 'nobody could tell the candidate yet')
  line.mend()
  await candidate.at('warning').waitFor({ timeout: 60_000 })
  line.cut()
  await until('the line is down', async () => (await proctor.tile(sitting.info.candidate).getAttribute('data-online')) === 'false', 60_000)
  assert.equal(await candidate.at('warning').count(), 1)
  line.mend()
  await candidate.acknowledgeWarning()
  await proctor.warningEffective()
  const { row, incidents } = await sitting.detail()
  assert.equal(row.summary.warnings, 1)
  assert.equal(incidents.filter(({ consequence }) => consequence === 'warning').length, 1)
  await candidate.at('question-text').waitFor()
})

exam('the server restarts between ruling and display: the warning comes once', { cable: true }, async sitting => {
  const { candidate, proctor, line, demo } = sitting
  await sitting.reachExam()
  line.cut()
  await candidate.at('offline').waitFor()
  await proctor.record(PHONE)
  await until('the warning is given', async () => (await sitting.detail()).row.summary.warnings === 1)
  await demo.kill()
  await demo.restart()
  line.mend()
  await candidate.at('warning').waitFor({ timeout: 60_000 })
  await candidate.acknowledgeWarning()
  await candidate.at('question-text').waitFor()
  await until('one warning, acknowledged, in the log', async () => {
    const { timeline } = await sitting.detail()
    const kinds = timeline.map(({ kind }) => kind)
    const count = kind => kinds.filter(each => each === kind).length
    return count('warning_acknowledged') === 1 && count('warning_displayed') === 1
  })
  assert.deepEqual(await consequences(sitting), [[PHONE, 'warning']])
  assert.equal(await candidate.at('warning').count(), 0, 'it does not come again')
})

exam('hand-in and second violation at once: whichever the log has first holds, and only that', {}, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  await candidate.answerAll({ to: 40, right: 40 })
  await candidate.allSaved()
  await proctor.record(PHONE)
  await candidate.at('warning').waitFor()
  await candidate.acknowledgeWarning()
  await proctor.warningEffective()
  // Both hands on both buttons, then both at once.
  await proctor.at('record').click()
  await proctor.at('code').selectOption(PERSON)
  await proctor.at('sure').check()
  await candidate.at('hand-in').click()
  const handIn = await candidate.at('hand-in-confirm').elementHandle()
  const record = await proctor.at('record-dialog').getByTestId('submit').elementHandle()
  // Whoever comes second may press a button that is gone already: that is the case meant here.
  await Promise.all([handIn, record].map(button => button.evaluate(it => it.click())))
  const end = await candidate.end()
  const { timeline, row } = await sitting.detail()
  const closed = timeline.filter(({ kind }) => kind === 'closed')
  assert.equal(closed.length, 1, 'it ends once')
  assert(['submitted', 'violation'].includes(end.reason), end.reason)
  assert.equal(row.summary.finish, end.reason, 'the candidate saw what the log says')
  const counted = (await consequences(sitting)).some(([, consequence]) => consequence === 'termination')
  assert.equal(counted, end.reason === 'violation', 'a violation after the hand-in ends nothing')
})
