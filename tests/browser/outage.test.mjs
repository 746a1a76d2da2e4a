// Lines, servers and platforms that break in mid-exam: nothing acknowledged is lost, nobody signs in again.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth, speak } from './look.mjs'
import { exam } from './sitting.mjs'

exam('connection cut and restored: answers queue on the device and arrive by themselves', { cable: true }, async sitting => {
  const { candidate, line } = sitting
  await sitting.reachExam()
  const first = await candidate.answerAll({ to: 3, right: 3 })
  await candidate.allSaved()
  // The next question is already here, so it can be answered without a line.
  await candidate.goTo(3)
  await candidate.at('question-text').waitFor()
  line.cut()
  await candidate.page.locator('[data-testid=outage][data-outage=unknown]').waitFor()
  await candidate.page.context().setOffline(true)
  await candidate.page.locator('[data-testid=outage][data-outage=device]').waitFor()
  const offline = await candidate.answer(true)
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  await candidate.page.locator('[data-testid=save-line][data-state=device]').waitFor()
  assert.equal(await candidate.at('place-3').getAttribute('data-unsaved'), 'true')
  await lookInBoth(candidate.page, 'candidate/offline')
  // Handed in without a line, it waits here, and can be taken back.
  await candidate.handIn()
  await candidate.page.locator('[data-testid=handing-in][data-state=kept]').waitFor()
  await lookInBoth(candidate.page, 'candidate/hand-in-kept')
  await candidate.at('hand-in-withdraw').click()
  await candidate.at('question-text').waitFor()
  await sitting.proctor.page.locator('[data-testid=tile][data-trouble=offline]').waitFor()
  await candidate.page.context().setOffline(false)
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

exam('a server that is stopped in order says so to both, and its absence is not charged', {}, async sitting => {
  const { candidate, proctor, demo } = sitting
  await sitting.reachExam()
  await candidate.goTo(1)
  await candidate.at('question-text').waitFor()
  const left = async () => (await candidate.at('clock').innerText()).split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  // Words come from the server: those of the other language are asked for before it goes.
  for (const lang of ['kk', 'ru']) await speak(proctor.page, lang)
  await demo.terminate()
  await candidate.page.locator('[data-testid=outage][data-outage=server]').waitFor()
  await proctor.page.locator('[data-testid=connection-lost][data-restarts=true]').waitFor()
  assert.equal(await proctor.at('large-picture').locator('.live').count(), 0, 'no picture is called live without the server')
  await lookInBoth(candidate.page, 'candidate/server-stopped')
  await lookInBoth(proctor.page, 'proctor/connection-lost')
  const answers = new Map([[1, await candidate.answer(true)]])
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  // The page cannot know when the server is back, so its clock goes on.
  const before = await left()
  const since = performance.now()
  await until('seven seconds are gone', async () => before - await left() >= 7)
  await demo.restart()
  await candidate.at('outage').waitFor({ state: 'detached', timeout: 60_000 })
  await candidate.allSaved(60_000)
  // However long the page took to come back: the server was away for seven seconds of this. The clock shows whole ones.
  await until('the time is given back', async () => (performance.now() - since) / 1_000 - (before - await left()) >= 6)
  await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
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

/** The server gives a silent address up after ten seconds: what goes on for longer has moved. */
const GIVEN_UP_S = 13

exam('another address in mid-exam, as a NAT gives it: the same recording goes on, and so does the proctor’s picture', { cable: true }, async sitting => {
  const { candidate, proctor, line } = sitting
  await line.relayMedia(candidate.page)
  await candidate.page.reload()
  await sitting.reachExam()
  const { time } = await proctor.seesAndHears()
  await line.rebindMedia()
  await until('it goes on', async () => (await proctor.seesAndHears()).time > time + GIVEN_UP_S, 60_000)
  await candidate.answerAll({ to: 1, right: 1 })
  await candidate.allSaved()
  await candidate.handIn()
  await candidate.end()
  const names = await sitting.sealedEvidence()
  assert.deepEqual(names.filter(name => name.startsWith('webcam-')), ['webcam-0001.webm'])
  const { payload } = JSON.parse(await sitting.bundle())
  assert.deepEqual(JSON.parse(Buffer.from(payload, 'base64url').toString()).violations, [])
})
