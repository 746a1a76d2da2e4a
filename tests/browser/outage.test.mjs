// Lines, servers and platforms that break in mid-exam: nothing acknowledged is lost, nobody signs in again.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'
import { Candidate } from './seat/candidate.mjs'

exam('connection cut and restored: answers queue on the device and arrive by themselves', { cable: true }, async sitting => {
  const { candidate, line } = sitting
  await sitting.reachExam()
  const first = await candidate.answerAll({ to: 3, right: 3 })
  await candidate.allSaved()
  // The next question is already here, so it can be answered without a line.
  await candidate.goTo(3)
  await candidate.at('question-text').waitFor()
  line.cut()
  await candidate.at('offline').waitFor()
  const offline = await candidate.answer(true)
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  await candidate.page.locator('[data-testid=save-line][data-state=device]').waitFor()
  assert.equal(await candidate.at('place-3').getAttribute('data-unsaved'), 'true')
  line.mend()
  await candidate.at('offline').waitFor({ state: 'detached', timeout: 60_000 })
  await candidate.allSaved()
  assert.equal(await candidate.at('question').getAttribute('data-index'), '3', 'the same question')
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), first.set(3, offline))
})

exam('reload while offline: the same question, the queued answer still there, then saved', { cable: true, lang: 'kk' }, async sitting => {
  const { candidate, line } = sitting
  await sitting.reachExam()
  await candidate.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  const answers = await candidate.answerAll({ to: 2, right: 0 })
  await candidate.allSaved()
  await candidate.goTo(2)
  await candidate.at('question-text').waitFor()
  line.cut()
  await candidate.at('offline').waitFor()
  answers.set(2, await candidate.answer(true))
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  const { text } = await candidate.read()
  await candidate.page.reload()
  await candidate.screen('exam')
  assert.equal(await candidate.at('question').getAttribute('data-index'), '2')
  assert.equal((await candidate.read()).text, text)
  for (const place of answers.get(2)) assert(await candidate.at(`option-${place}`).isChecked())
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  line.mend()
  await candidate.allSaved(60_000)
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
})

exam('server killed in mid-exam: the candidate goes on without signing in, no answer is missing', {}, async sitting => {
  const { candidate, proctor, demo } = sitting
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 10, right: 10 })
  await candidate.allSaved()
  await candidate.goTo(10)
  await candidate.at('question-text').waitFor()
  await demo.kill()
  await candidate.at('offline').waitFor()
  answers.set(10, await candidate.answer(true))
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  await demo.restart()
  await candidate.allSaved(60_000)
  await candidate.at('offline').waitFor({ state: 'detached' })
  assert.equal(await candidate.at('question').getAttribute('data-index'), '10')
  // The wall comes back by itself too, with picture and sound.
  await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
  await proctor.seesAndHears()
  for (const [index, shown] of await candidate.answerAll({ from: 11, to: 40, right: 29 })) answers.set(index, shown)
  await candidate.allSaved()
  await candidate.handIn()
  const end = await candidate.end()
  assert.equal(end.passed, true)
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  // The recording that was cut off by the kill is in the record, as far as it can be read, and so is the next one.
  const evidence = await sitting.sealedEvidence()
  for (const name of ['webcam-0001.webm', 'webcam-0002.webm']) assert(evidence.includes(name), `${name} in ${evidence}`)
})

exam('platform down during the hand-in: the record is sealed and arrives once, when it is back', {}, async sitting => {
  const { candidate, demo } = sitting
  await sitting.reachExam()
  await candidate.answerAll({ to: 5, right: 5 })
  await candidate.allSaved()
  await demo.killPlatform()
  await candidate.handIn()
  const end = await candidate.end()
  assert.equal(end.reason, 'submitted')
  const { record } = await sitting.sealed()
  assert.equal(record.delivery, 'queued')
  await demo.startPlatform()
  const records = await sitting.delivered()
  await until('the receipt', async () => (await sitting.detail()).record.delivery === 'accepted')
  assert.equal((await demo.held()).filter(({ kind }) => kind === 'record').length, 1, 'exactly one copy')
  assert.equal(records[0].sha256, record.sha256)
  const bundle = await demo.verify(await sitting.bundle())
  assert(bundle.passed, bundle.said)
})

exam('a second tab waits until the proctor admits it, then goes on with the same paper', {}, async sitting => {
  const { candidate, proctor, link } = sitting
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 2, right: 2 })
  await candidate.allSaved()
  const second = new Candidate()
  second.browser = candidate.browser
  second.page = await candidate.page.context().newPage()
  second.page.faults = candidate.page.faults
  await second.page.goto(link)
  await second.screen('other_device')
  await candidate.goTo(2)
  answers.set(2, await candidate.answer(true))
  await candidate.allSaved()
  await proctor.at('device-waits').waitFor()
  await proctor.admitDevice()
  await second.screen('exam', 60_000)
  await candidate.at('screen-other_device').or(candidate.at('screen-stopped')).waitFor({ timeout: 60_000 })
  await second.goTo(3)
  answers.set(3, await second.answer(false))
  await second.allSaved()
  await second.handIn()
  await second.end()
  // Whether the second tab was a violation is a person's to say; until then nothing is sealed.
  await until('the incident waits for a person', async () =>
    (await sitting.detail()).incidents.some(({ code, status }) => code === 'SECOND_CONNECTION' && status === 'open'))
  assert.equal((await sitting.detail()).record, null)
  await proctor.at('open-incidents').getByTestId('dismiss').click()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
})
