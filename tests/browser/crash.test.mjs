// A computer that dies in mid-exam: the exam goes on at the same place, on the same one and on another.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/demo.mjs'
import { Candidate } from './seat/candidate.mjs'
import { withProctor } from './seat/display.mjs'
import { exam } from './sitting.mjs'

/** The clock shows whole seconds, and two moments are compared. */
const CLOCK_MS = 2_500

/** When the clock of this page reaches its end, on the machine's own clock. */
const ends = candidate => candidate.at('clock').evaluate(clock => {
  const parts = clock.textContent.trim().split(':').map(Number)
  return Date.now() + parts.reduce((sum, part) => sum * 60 + part, 0) * 1_000
})

exam('a browser killed in mid-exam comes back to the question, flags, queued answers and time; so does another PC', { cable: true, seats: false }, async sitting => {
  const { link, line } = sitting
  const profile = mkdtempSync(join(tmpdir(), 'synaq-profile-'))
  try {
    await withProctor(sitting)
    const { proctor } = sitting
    const first = sitting.candidate = await Candidate.openKept(link, profile, { line })
    await sitting.reachExam()
    const answers = await first.answerAll({ to: 2, right: 2 })
    await first.at('flag').click()
    await first.allSaved()
    const end = await ends(first)
    await first.goTo(2)
    await first.at('question-text').waitFor()
    line.cut()
    await first.at('offline').waitFor()
    answers.set(2, await first.answer(true))
    await first.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
    await first.crash()
    line.mend()

    const again = await sitting.seat(Candidate.openKept(link, profile, { line }))
    await again.screen('exam', 60_000)
    assert.equal(await again.at('question').getAttribute('data-index'), '2', 'the same question')
    assert.equal(await again.at('place-1').getAttribute('data-flagged'), 'true')
    await again.allSaved(60_000)
    for (const place of answers.get(2)) assert(await again.at(`option-${place}`).isChecked(), 'the queued answer')
    assert(Math.abs(await ends(again) - end) < CLOCK_MS, 'the time goes on as if nothing had been')
    assert.deepEqual((await sitting.detail()).incidents, [], 'a crash is nothing of a violation')

    // Then this one is gone too. Another PC waits for the proctor, sees that the time runs and how much is left.
    await again.crash()
    const other = await sitting.seat(Candidate.open(link))
    await other.at('begin-device').click()
    await other.screen('other_device')
    await other.at('other-time').waitFor()
    assert(Math.abs(await ends(other) - end) < CLOCK_MS, 'the same time')
    assert.match(await other.at('proctor-present').innerText(), /на связи/)
    await proctor.openPanel(sitting.info.candidate)
    await proctor.admitDevice()
    await other.screen('exam', 60_000)
    assert.equal(await other.at('question').getAttribute('data-index'), '2', 'the question answered last')
    assert.equal(await other.at('place-1').getAttribute('data-flagged'), 'true')
    await other.goTo(3)
    answers.set(3, await other.answer(false))
    await other.allSaved()
    await other.handIn()
    await other.end()
    await until('no incident waits, or one is dismissed', async () => {
      const open = (await sitting.detail()).incidents.filter(({ status }) => status === 'open')
      if (open.length > 0) await sitting.dismissOpenIncident()
      return open.length === 0
    })
    assert.deepEqual(await sitting.sealedAnswers(), answers)
  } finally {
    sitting.seats.forEach(seat => seat.profile && seat.browser.close().catch(() => {}))
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
})
