// What goes wrong at home before the exam, and an end that takes two persons.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Proctor } from './seat/proctor.mjs'

async function toDeviceCheck(candidate) {
  await candidate.bind()
  await candidate.chooseLanguage()
  await candidate.consent()
}

exam('camera held by another program: the page says so, and goes on when it is free', {}, async ({ candidate }) => {
  await candidate.page.addInitScript(() => {
    const devices = navigator.mediaDevices
    const open = devices.getUserMedia.bind(devices)
    devices.getUserMedia = wanted =>
      globalThis.cameraIsHeld ? Promise.reject(new DOMException('', 'NotReadableError')) : open(wanted)
    globalThis.cameraIsHeld = true
  })
  await candidate.page.reload()
  await toDeviceCheck(candidate)
  await candidate.at('device-allow').click()
  await candidate.at('device-trouble').waitFor()
  assert.match(await candidate.at('device-trouble').innerText(), /программ/i)
  assert.equal(await candidate.at('device-next').count(), 0, 'no way on without a camera')
  await lookInBoth(candidate.page, 'candidate/device-trouble')
  await candidate.page.evaluate(() => { globalThis.cameraIsHeld = false })
  await candidate.checkDevice()
})

exam('media port blocked: the page says what to try, and a retry goes on', {}, async ({ candidate }) => {
  // The answer names a port where nobody listens, as a firewall makes it look.
  const whip = '**/api/v1/candidate/whip'
  await candidate.page.route(whip, async route => {
    const answer = await route.fetch()
    const sdp = (await answer.text()).replace(/^(a=candidate:.*? )\d+( typ host)/gm, '$1' + '9' + '$2')
    await route.fulfill({ response: answer, body: sdp })
  })
  await toDeviceCheck(candidate)
  await candidate.at('device-allow').click()
  await candidate.at('media-blocked').waitFor({ timeout: 60_000 })
  assert(await candidate.at('device-next').isDisabled())
  await lookInBoth(candidate.page, 'candidate/device-blocked')
  // An answer that is still on its way through the handler is waited for.
  await candidate.page.unrouteAll({ behavior: 'wait' })
  await candidate.at('media-retry').click()
  await candidate.page.locator('[data-testid=device-next]:not([disabled])').waitFor({ timeout: 60_000 })
})

exam('no proctor is there: the page says so, a call waits, and who comes later sees both', { seats: false }, async sitting => {
  const { demo, link, info } = sitting
  const candidate = await sitting.seat(Candidate.open(link))
  await candidate.prepare()
  assert.match(await candidate.at('proctor-present').innerText(), /нет на связи/)
  await candidate.at('chat-open').click()
  await candidate.at('chat-text').fill('Здравствуйте, я жду')
  await candidate.at('chat-send').click()
  await candidate.at('call-proctor').click()
  await candidate.at('called').waitFor()
  await candidate.at('chat-close').click()
  await candidate.screen('identity')
  const proctor = await sitting.seat(Proctor.open(demo))
  await until('the page knows of the proctor', async () => /на связи\.$/.test(await candidate.at('proctor-present').innerText()))
  await proctor.openPanel(info.candidate)
  await proctor.at('chat-lines').getByText('Здравствуйте, я жду').waitFor()
  await proctor.admit()
  await candidate.screen('texts')
})

exam('a device clock one hour late: the page shows the server\u2019s time, and every answer counts', { seats: false }, async sitting => {
  const { demo, link } = sitting
  const candidate = await sitting.seat(Candidate.open(link))
  await candidate.page.addInitScript(() => {
    const now = Date.now
    Date.now = () => now() - 3_600_000
  })
  await candidate.page.reload()
  sitting.candidate = candidate
  sitting.proctor = await sitting.seat(Proctor.open(demo))
  await sitting.reachExam()
  assert.match(await candidate.at('clock').innerText(), /^(1:00:00|(00:)?59:\d\d)$/)
  const answers = await candidate.answerAll({ to: 2, right: 2 })
  await candidate.allSaved()
  await candidate.handIn()
  assert.equal((await candidate.end()).reason, 'submitted')
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  const { device_clock_behind_ms: behind } = await sitting.detail()
  assert(Math.abs(behind - 3_600_000) < 60_000, `the auditor is told: ${behind} ms`)
})

exam('ended for impersonation: one proctor proposes, only another ends it', {}, async sitting => {
  const { candidate, proctor, demo, info } = sitting
  await sitting.reachExam()
  const second = await sitting.seat(Proctor.open(demo, { account: demo.links.second_proctor }))
  await proctor.at('end').click()
  await proctor.at('why-impersonation').check()
  await proctor.at('end-dialog').getByTestId('note').fill('В кадре другой человек')
  await proctor.at('end-next').click()
  await proctor.at('end-sure-dialog').waitFor()
  await lookInBoth(proctor.page, 'proctor/end-sure')
  await proctor.at('end-sure-dialog').getByTestId('submit').click()
  await proctor.at('withdraw-end').waitFor()
  await lookInBoth(proctor.page, 'proctor/end-proposed')
  await candidate.at('question-text').waitFor()
  await second.openPanel(info.candidate)
  await second.at('second-end').click()
  await lookInBoth(second.page, 'proctor/end-second')
  await second.at('second-end-note').fill('Сверил с документом: не тот человек')
  await second.at('second-end-now').click()
  const end = await candidate.end()
  assert.equal(end.reason, 'impersonation')
  await lookInBoth(candidate.page, 'candidate/end-impersonation')
  const { row } = await sitting.detail()
  assert.deepEqual([row.summary.outcome, row.summary.correct], ['not_passed', null])
})
