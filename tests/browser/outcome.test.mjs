// Whole exams: how they end by the law's two numbers.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'
import { Centre } from './seat/centre.mjs'

exam('passed: supervised, approved by the commission, held by the platform, verified offline', { lang: 'kk' }, async sitting => {
  const { candidate, proctor, demo, info } = sitting

  // Photos are asked for again once.
  await candidate.prepare()
  await proctor.openPanel(info.candidate)
  await proctor.askAgain('Құжаттың жазуы оқылмайды. Жақынырақ ұстаңыз.')
  await candidate.at('asked-again').waitFor()
  assert.match(await candidate.at('asked-again').innerText(), /оқылмайды/)
  await lookInBoth(candidate.page, 'candidate/photos-again')
  await candidate.sendPhotos()
  await proctor.admit()
  await candidate.readTexts()

  // Words both ways.
  await candidate.at('chat-open').click()
  await candidate.at('chat-text').fill('Естіп тұрсыз ба?')
  await candidate.at('chat-send').click()
  await candidate.at('call-proctor').click()
  await candidate.at('called').waitFor()
  await proctor.at('chat-lines').getByText('Естіп тұрсыз ба?').waitFor()
  await proctor.say('Иә, бәрі дұрыс.')
  await candidate.at('chat').getByText('Иә, бәрі дұрыс.').waitFor()
  await candidate.at('called').waitFor({ state: 'detached' })
  await candidate.at('chat-close').click()

  await candidate.begin()
  await proctor.seesAndHears()

  // Paused: the questions are covered and the clock stands; credited: more time than before.
  await proctor.pause('Техникалық тексеру')
  await candidate.at('paused').waitFor()
  const standing = await candidate.at('clock').innerText()
  await proctor.resume()
  await candidate.at('question-text').waitFor()
  await proctor.credit(5, 'Тексеру уақытын алды')
  const minutes = text => Number(text.split(':').at(-2))
  await until('five more minutes', async () => minutes(await candidate.at('clock').innerText()) > minutes(standing) || (await candidate.at('clock').innerText()).split(':').length > 2)

  const total = await candidate.total()
  assert.equal(total, 40)
  const answers = await candidate.answerAll({ to: total, right: 29 })
  await candidate.allSaved()
  await candidate.handIn()
  const end = await candidate.end()
  assert.equal(end.reason, 'submitted')
  assert.equal(end.passed, true, '29 of 40 is more than 70 %')
  assert.match(await candidate.at('end-standing').innerText(), /\S/)

  // What was sealed is what was answered.
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  // The recording that ran to the end is in the record, and so are the photos that counted.
  const evidence = await sitting.sealedEvidence()
  for (const name of ['face-2', 'document-2', 'webcam-0001.webm', 'stills-0001']) assert(evidence.includes(name), `${name} in ${evidence}`)
  const [record] = await sitting.delivered()
  const detail = await until('the receipt', async () => {
    const detail = await sitting.detail()
    return detail.record.delivery === 'accepted' && detail
  })
  assert.equal(detail.row.summary.outcome, 'passed')
  assert.equal(detail.record.platform_ref, record.platform_ref)
  assert.match(detail.record.payload, /contract/, 'the gates that this system did not check are named')

  // The platform's signed times agree with ours: both processes are on this machine.
  const { sitting: id } = JSON.parse(detail.record.payload)
  const clock = await (await sitting.centre()).json(`/api/v1/centre/sittings/${id}/clock`)
  assert(clock.receipts.length > 0 && clock.receipts.every(receipt => Math.abs(receipt.ahead_ms) < 5_000), JSON.stringify(clock.receipts))

  // The commission approves, the candidate sees it.
  const commission = await sitting.seat(Centre.open(demo, { account: demo.links.commission, lang: 'kk' }))
  await commission.openRecord(info.candidate)
  await commission.approve('Ескертпе жоқ')
  await until('the approval on the candidate’s screen', async () => (await sitting.detail()).record.approved_by !== null)
  await until('the approval is delivered', async () => (await demo.held()).some(message => message.kind === 'approval'))

  // The downloaded file holds without us, and no byte of it may change.
  const bundle = await commission.download()
  const good = await demo.verify(bundle)
  assert(good.passed, good.said)
  const forged = Buffer.from(bundle)
  const place = forged.indexOf('"payload":"') + '"payload":"'.length + 40
  forged[place] = forged[place] === 0x41 ? 0x42 : 0x41
  const bad = await demo.verify(forged)
  assert(!bad.passed, `one changed byte passed: ${bad.said}`)
})

exam('failed at exactly 70 %: 28 of 40 is not more than 70 %', {}, async sitting => {
  const { candidate } = sitting
  await sitting.reachExam()
  await candidate.answerAll({ to: 40, right: 28 })
  await candidate.allSaved()
  await candidate.handIn()
  const end = await candidate.end()
  assert.equal(end.reason, 'submitted')
  assert.equal(end.passed, false)
  await lookInBoth(candidate.page, 'candidate/end-not-passed')
  assert.match(end.text, /28/)
  const { row } = await sitting.sealed()
  assert.equal(row.summary.outcome, 'not_passed')
  assert.equal(row.summary.correct, 28)
  assert.equal(row.summary.total, 40)
})
