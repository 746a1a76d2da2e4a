// What goes wrong at home before the exam, and an end that takes two persons.
import assert from 'node:assert/strict'
import { exam } from './sitting.mjs'
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
  await candidate.page.unroute(whip)
  await candidate.at('media-retry').click()
  await candidate.page.locator('[data-testid=device-next]:not([disabled])').waitFor({ timeout: 60_000 })
})

exam('ended for impersonation: one proctor proposes, only another ends it', {}, async sitting => {
  const { candidate, proctor, demo, info } = sitting
  await sitting.reachExam()
  const second = await sitting.seat(Proctor.open(demo, { account: demo.links.second_proctor }))
  await proctor.at('end').click()
  await proctor.at('why-impersonation').check()
  await proctor.at('end-dialog').getByTestId('note').fill('В кадре другой человек')
  await proctor.at('end-next').click()
  await proctor.at('end-sure-dialog').getByTestId('submit').click()
  await proctor.at('withdraw-end').waitFor()
  await candidate.at('question-text').waitFor()
  await second.openPanel(info.candidate)
  await second.at('second-end').click()
  await second.at('second-end-note').fill('Сверил с документом: не тот человек')
  await second.at('second-end-now').click()
  const end = await candidate.end()
  assert.equal(end.reason, 'impersonation')
  const { row } = await sitting.detail()
  assert.deepEqual([row.summary.outcome, row.summary.correct], ['not_passed', null])
})
