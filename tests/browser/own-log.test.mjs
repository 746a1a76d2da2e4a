// The candidate's own log after the end: read, played, downloaded, checked by a stranger, read again from elsewhere.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

/** The clip begins ten seconds before: something must be recorded by then. */
const RECORDED_S = 4

exam('the own log: timeline, the warning with its clip, receipts that a stranger checks, the last day of an appeal', { lang: 'kk' }, async sitting => {
  const { candidate, proctor, demo, info, link } = sitting
  await sitting.reachExam()
  await until('something is recorded', async () => (await proctor.seesAndHears()).time > RECORDED_S, 60_000)
  const given = await candidate.answerAll({ to: 3, right: 3 })
  await candidate.allSaved()
  await proctor.record('FORBIDDEN_ITEM', { note: 'Үстелде телефон' })
  await candidate.at('warning').waitFor()
  await candidate.acknowledgeWarning()
  await candidate.handIn()
  await candidate.end()
  await sitting.sealed()

  // By keyboard, and what is read out is the page's own structure.
  await candidate.at('own-log-open').focus()
  await candidate.page.keyboard.press('Enter')
  await candidate.at('own-log-number').waitFor()
  assert.equal(await candidate.at('own-log-number').innerText(), info.session)
  const headings = await candidate.page.locator('main :is(h1, h2)').allInnerTexts()
  assert.equal(headings.length, 6, headings.join(' | '))
  for (const kind of ['consent_given', 'admitted', 'started', 'warning_acknowledged', 'closed', 'record_sealed']) {
    await candidate.page.locator(`[data-testid=own-line][data-kind=${kind}]`).first().waitFor({ state: 'attached' })
  }
  const warning = candidate.page.locator('[data-testid=own-incident][data-outcome=warning]')
  assert.match(await warning.innerText(), /Үстелде телефон/)
  assert.doesNotMatch(await candidate.at('own-log').innerText(), /undefined|\{\w+\}|NaN/)

  // The clip plays for the candidate, and that they looked is written down.
  await warning.getByTestId('own-clip-show').click()
  await until('the clip plays', () => warning.getByTestId('own-clip-video').evaluate(video =>
    video.readyState >= 2 && video.duration > 1 && video.videoWidth > 0))

  // What the device was told during the exam stands in the log, and the file of receipts passes at a stranger's.
  // A question with several right options is answered by several clicks, and each has a receipt.
  const count = Number(await candidate.at('own-receipts').getAttribute('data-count'))
  assert(count >= given.size, `${count}`)
  assert(await candidate.at('own-head').isVisible())
  const [download] = await Promise.all([candidate.page.waitForEvent('download'), candidate.at('own-receipts-download').click()])
  const file = JSON.parse(readFileSync(await download.path(), 'utf8'))
  const answers = file.receipts.map(({ event }) => [event.body.fact.question, event.body.fact.shown])
  assert.equal(answers.length, count)
  assert.deepEqual(new Map(answers), given)
  const bundle = await sitting.bundle()
  const written = (name, content) => {
    writeFileSync(join(demo.data, name), JSON.stringify(content))
    return ['--receipts', join(demo.data, name)]
  }
  const good = await demo.verify(bundle, undefined, written('good.json', file))
  assert(good.passed && good.said.includes(`receipts: ${count} of ${count}`), good.said)
  const forged = structuredClone(file)
  forged.receipts[1].event.body.fact.shown = [forged.receipts[1].event.body.fact.shown[0] === 0 ? 1 : 0]
  const bad = await demo.verify(bundle, undefined, written('forged.json', forged))
  assert(!bad.passed && /these differ/.test(bad.said), bad.said)

  // After a reload, in both languages, wide and narrow.
  await candidate.page.reload()
  await candidate.at('own-log-number').waitFor()
  await lookInBoth(candidate.page, 'candidate/own-log')
  await candidate.at('own-log-back').click()
  await candidate.at('end-title').waitFor()

  // The commission approves: there is a last day. By the same link on another device, nothing is asked and nothing bound.
  const commission = await sitting.seat(Centre.open(demo, { account: demo.links.commission, lang: 'kk' }))
  await commission.openRecord(info.candidate)
  await commission.approve('')
  const elsewhere = await sitting.seat(Candidate.open(link, { lang: 'ru', devices: false }))
  await elsewhere.at('ended').waitFor()
  await lookInBoth(elsewhere.page, 'candidate/link-ended')
  assert.equal(await elsewhere.at('begin-device').count(), 0)
  assert.doesNotMatch(await elsewhere.at('screen-info').innerText(), /Нажмите|Что понадобится|уже начат/, 'nothing is to be begun')
  await elsewhere.at('own-log-open').click()
  const until_ = await until('the last day', () => elsewhere.at('own-appeal').getAttribute('data-until'))
  assert.match(until_, /^\d{4}-\d\d-\d\d$/)
  assert(until_ > new Date().toISOString().slice(0, 10), until_)
  await lookInBoth(elsewhere.page, 'candidate/own-log', 'elsewhere')
})
