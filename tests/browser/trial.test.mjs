// The trial run days before: device, practice with a warning and a cut, a note for the proctor, and nothing else changed.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Proctor } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

exam('a trial run: the device is looked at, a warning and a cut are practised, the proctor sees the note and nothing began', { lang: 'kk', seats: false }, async sitting => {
  const { demo, info, link } = sitting
  const candidate = await sitting.seat(Candidate.open(link, { lang: 'kk' }))
  const { page } = candidate
  const centre = await sitting.centre()
  const timeline = async () => (await centre.json(`/api/v1/centre/sessions/${info.session}`)).timeline
  const before = await timeline()

  await candidate.at('trial-open').click()
  await candidate.at('trial-allow').click()
  const finding = (name, standing) => page.locator(`[data-testid=trial-${name}][data-standing=${standing}]`)
  for (const name of ['camera', 'microphone']) await finding(name, 'good').waitFor()
  // The line is measured against the real server; how good it is depends on the machine, that it was measured does not.
  await until('the line is measured', async () => await candidate.at('trial-line').getAttribute('data-standing') !== 'wait')
  assert.match(await candidate.at('trial-line').innerText(), /\d+/)
  await lookInBoth(page, 'candidate/trial')
  await candidate.at('trial-next').click()
  await candidate.at('practice-begin').waitFor()
  await lookInBoth(page, 'candidate/trial-ready')
  await candidate.at('practice-begin').click()

  // Five questions on the exam's own screens.
  await candidate.at('question-text').waitFor()
  assert.equal(await candidate.total(), 5)
  await candidate.at('option-1').check()
  await candidate.allSaved()
  await lookInBoth(page, 'candidate/practice')

  // Full screen is left: after five seconds there is a warning, and its button is the end of it.
  await page.evaluate(() => document.exitFullscreen().catch(() => {}))
  if (await candidate.at('attention-countdown').count() === 0 && await candidate.at('warning').count() === 0) {
    // A window without full screen: the button shows the same.
    await candidate.at('practice-warn').click()
  }
  await candidate.at('warning').waitFor()
  await lookInBoth(page, 'candidate/practice-warning')
  await candidate.acknowledgeWarning()
  await page.locator('[data-testid=task-warning][data-done=true]').waitFor()

  // The line is cut by the page: what is answered meanwhile is here, and then saved.
  await candidate.at('practice-cut').click()
  await candidate.goTo(0)
  await candidate.at('option-2').check()
  await page.locator('[data-testid=save-line][data-state=device]').waitFor()
  await candidate.at('offline').waitFor()
  await lookInBoth(page, 'candidate/practice-cut')
  await page.locator('[data-testid=task-cut][data-done=true]').waitFor({ timeout: 60_000 })
  await candidate.allSaved()
  await candidate.handIn()

  await candidate.at('trial-end').waitFor()
  await page.locator('[data-testid=trial-note][data-left=yes]').waitFor()
  assert.equal(await candidate.at('trial-end').getAttribute('data-fine'), 'true')
  await lookInBoth(page, 'candidate/trial-end')
  candidate.soundPage()

  // Nothing began: no event, no bound device; the first button still binds whichever device presses it.
  assert.deepEqual(await timeline(), before)
  await candidate.at('trial-back').click()
  await candidate.at('begin-device').waitFor()
  assert.equal(await candidate.at('bound-elsewhere').count(), 0)
  const proctor = await sitting.seat(Proctor.open(demo, { lang: 'ru' }))
  await proctor.openPanel(info.candidate)
  await proctor.at('trial').locator('summary').click()
  assert.match(await proctor.at('trial-browser').innerText(), /\S/)
})
