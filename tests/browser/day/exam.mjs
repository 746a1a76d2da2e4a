// The exam's own day: everybody comes in, the sitting is moved to now, and what a day brings: alerts, a break, a fire alarm, an
// exam that ends by its second violation.
import assert from 'node:assert/strict'
import { until } from '../../support/demo.mjs'
import { Virtuals } from '../../support/virtual.mjs'
import { look, lookInBoth } from '../look.mjs'
import { Candidate } from '../seat/candidate.mjs'
import { Proctor } from '../seat/proctor.mjs'
import { HOUR_MS, QUESTIONS, TITLE, field } from './office.mjs'
import { CANDIDATES, PASSWORD, STAFF } from './people.mjs'

const PATIENCE_MS = 60_000
/** Whom something happens to, among the virtual ones. */
const LOOKS_ODD = 0
const ENDED = 1
const HIDDEN = 2
/** Right answers of the virtual ones: passed means more than seven of ten. */
export const RIGHT = [10, 0, 8, 10, 9, 9, 8, 8, 8, 7, 7, 3]
const DAY_OF = name => CANDIDATES[name + 1].name

/** Days before: the letter's link leads to a trial run, which leaves a note and begins nothing. */
export async function trial(sitting, link) {
  const candidate = await sitting.seat(Candidate.open(link, { lang: 'kk' }))
  candidate.page.setDefaultTimeout(PATIENCE_MS)
  await candidate.at('trial-open').click()
  await candidate.at('trial-allow').click()
  for (const name of ['camera', 'microphone']) await candidate.page.locator(`[data-testid=trial-${name}][data-standing=good]`).waitFor()
  await until('the line is measured', async () => await candidate.at('trial-line').getAttribute('data-standing') !== 'wait', PATIENCE_MS)
  await candidate.at('trial-next').click()
  await candidate.at('practice-begin').click()
  await candidate.at('question-text').waitFor()
  for (let index = 0; index < await candidate.total(); index++) {
    await candidate.goTo(index)
    await candidate.at('option-0').check()
  }
  await candidate.allSaved()
  await candidate.handIn()
  await candidate.at('trial-end').waitFor()
  await candidate.page.locator('[data-testid=trial-note][data-left=yes]').waitFor()
  await look(candidate.page, 'candidate/trial-end', 'day')
  await candidate.at('trial-back').click()
  await candidate.at('begin-device').waitFor()
  return candidate
}

/** Both proctors take their seats: one by the only door of the set-up page, one by signing in anew. */
export async function onDuty(sitting, seats, browser) {
  const door = seats.proctor.at('set-up-done').getByRole('link')
  assert.equal(await door.count(), 1, 'one door, the right one')
  const proctor = await Proctor.enter(seats.proctor.page, door)
  const second = await sitting.seat(Proctor.open(sitting.demo, { lang: STAFF.second.lang, browser, account: { login: STAFF.second.login, password: PASSWORD } }))
  const watches = seat => seat.at('duty').getAttribute('data-mine').then(Number)
  await until('the two share the candidates', async () => {
    const [one, other] = [await watches(proctor), await watches(second)]
    return one + other === CANDIDATES.length && Math.abs(one - other) <= 1
  }, PATIENCE_MS)
  await second.at('duty').click()
  await second.at('shift-note').fill('В третьем ряду кандидат с переводчиком жестов.')
  await second.at('shift-note-add').click()
  await second.at('shift-notes').getByText('переводчиком').waitFor()
  await look(second.page, 'proctor/duty', 'day')
  await second.page.keyboard.press('Escape')
  return { proctor, second }
}

/** All thirteen show face and document, and are let in by two keys each. */
export async function comeIn(sitting, candidate, proctor, links) {
  const virtuals = await sitting.seat(Virtuals.open(links.slice(1)))
  const coming = virtuals.all('prepare')
  await candidate.prepare()
  await coming
  await until('all wait for the check of identity', async () =>
    await proctor.page.locator('[data-testid=queue-item][data-trouble=identity]').count() === CANDIDATES.length, PATIENCE_MS)
  await lookInBoth(proctor.page, 'proctor/wall-identity')
  for (let left = CANDIDATES.length; left > 0; left--) {
    await proctor.page.keyboard.press('n')
    await proctor.at('admit').waitFor()
    const session = await proctor.at('panel').getAttribute('data-session')
    await proctor.page.keyboard.press('a')
    await proctor.page.locator(`[data-testid=queue-item][data-trouble=identity][data-session="${session}"]`).waitFor({ state: 'detached' })
    await proctor.at('admit').waitFor({ state: 'detached' })
  }
  await proctor.openPanel(CANDIDATES[0].name)
  await proctor.at('trial').locator('summary').click()
  assert.match(await proctor.at('trial-browser').innerText(), /\S/, 'what the trial run found is there')
  await proctor.page.keyboard.press('Escape')
  await Promise.all([virtuals.all('read'), candidate.readTexts()])
  return virtuals
}

/** What was to begin later begins now, with a reason; whoever waits sees it without doing anything. */
export async function moved(sitting, head, candidate, id) {
  await candidate.at('opens-in').waitFor()
  assert.equal(await candidate.at('begin-exam').isEnabled(), false)
  await lookInBoth(candidate.page, 'candidate/ready-early')
  await head.go(`sittings/${id}`)
  await head.at('change-sitting').click()
  await head.type({ 'change-opens': field(Date.now() - 60_000), 'change-closes': field(Date.now() + 4 * HOUR_MS), reason: 'Жарты сағаттан кейін жарық өшеді' })
  await head.at('dialog-submit').click()
  await head.at('told').waitFor()
  await lookInBoth(head.page, 'centre/sitting-moved')
  await candidate.at('opens-in').waitFor({ state: 'detached' })
  // The letters of before name another time.
  const before = sitting.demo.letters(CANDIDATES[0].email)
  assert.equal(before.length, 1)
  await head.at('letters').locator('summary').click()
  await head.at('send-all-again').click()
  await until('another letter', () => sitting.demo.letters(CANDIDATES[0].email).length === 2, PATIENCE_MS)
  const [newer] = sitting.demo.letters(CANDIDATES[0].email).filter(letter => !before.includes(letter))
  assert(newer.includes(new URL(candidate.link).pathname), 'the same link')
}

/** Everybody begins; the wall sees all. */
export async function begins(head, candidate, proctor, virtuals) {
  await Promise.all([virtuals.all('begin'), candidate.begin()])
  await until('everybody is at work on the wall', async () =>
    await proctor.page.locator('[data-testid=tile][data-stage=running]').count() === CANDIDATES.length, PATIENCE_MS)
  await until('the centre sees it too', async () =>
    /13/.test(await head.at('live').locator('[data-state=running] strong').innerText().catch(() => '')), PATIENCE_MS)
}

/** Two claims wait for a person: one is found to be nothing, one is a violation. A hidden page needs nobody. */
export async function alerts(sitting, proctor, virtuals) {
  const now = proctor.at('triage-now')
  const of = who => proctor.page.locator('[data-testid=triage-now]', { hasText: DAY_OF(who) })
  await virtuals.one(HIDDEN, 'signal', 'WINDOW_BLUR', 'begin')
  await virtuals.one(LOOKS_ODD, 'signal', 'SECOND_SCREEN', 'seen')
  await of(LOOKS_ODD).waitFor()
  await virtuals.one(ENDED, 'signal', 'SECOND_SCREEN', 'seen')
  await proctor.at('alert').filter({ hasText: DAY_OF(ENDED) }).waitFor()
  await look(proctor.page, 'proctor/alerts', 'day')
  await proctor.rule('d')
  await proctor.at('undo-bar').getByTestId('undo').waitFor()
  await of(ENDED).waitFor()
  assert.match(await now.getByTestId('confirm').innerText(), /ескерту/, 'what confirming does stands on the button')
  await proctor.rule('c')
  await virtuals.one(ENDED, 'acknowledge')
  // A person ruled on two; the third rules itself after ten seconds.
  await virtuals.one(HIDDEN, 'acknowledge')
  await virtuals.one(HIDDEN, 'signal', 'WINDOW_BLUR', 'end')
  await now.waitFor({ state: 'detached' })
}

/** Asked for, granted by one key, and the clock stands meanwhile. */
export async function pauseForOne(candidate, proctor) {
  await candidate.at('break-ask').click()
  await candidate.at('break-toilet').click()
  await candidate.at('break-asked').waitFor()
  await proctor.openPanel(CANDIDATES[0].name)
  await proctor.at('grant-break').waitFor()
  await look(proctor.page, 'proctor/break-asked', 'day')
  await proctor.page.keyboard.press('b')
  await candidate.at('on-break').waitFor()
  await look(candidate.page, 'candidate/on-break', 'day')
  await candidate.at('break-return').click()
  await candidate.at('question-text').waitFor()
  await proctor.page.keyboard.press('Escape')
}

/** Everybody's clock stands and goes on, and nobody loses a second by it. */
export async function fire(candidate, second, virtuals) {
  const except = [ENDED]
  const before = await virtuals.all('stands', { how: ['running'], except })
  await second.page.keyboard.press('w')
  const everybody = second.at('everybody-dialog')
  await everybody.getByTestId('pause-preset').last().click()
  await everybody.getByTestId('everybody-pause').click()
  await candidate.at('paused').waitFor()
  const stood = await virtuals.all('stands', { how: ['paused'], except })
  await look(candidate.page, 'candidate/paused-everybody', 'day')
  await look(second.page, 'proctor/everybody-stopped', 'day')
  await everybody.getByTestId('everybody-resume').click()
  await candidate.at('question-text').waitFor()
  const after = await virtuals.all('stands', { how: ['running'], except })
  await second.page.keyboard.press('Escape')
  for (const [index, clock] of after.entries()) {
    assert(clock.deadline > before[index].deadline, 'the time is given back')
    assert(clock.remaining_ms <= stood[index].remaining_ms && clock.remaining_ms > stood[index].remaining_ms - 5_000, 'all of it, and no more')
  }
}

/** Another violation after the acknowledged warning: the exam is over without a further click. */
export async function secondViolation(proctor, virtuals) {
  await proctor.openPanel(DAY_OF(ENDED))
  await proctor.warningEffective()
  await virtuals.one(ENDED, 'signal', 'WINDOW_BLUR', 'begin')
  const reason = await virtuals.one(ENDED, 'ended')
  assert.equal(reason, 'violation')
  await until('the wall says so', async () => /бұзу|аяқталды/i.test(await proctor.at('panel-state').innerText()), PATIENCE_MS)
  await look(proctor.page, 'proctor/ended', 'day')
  await proctor.page.keyboard.press('Escape')
}

/** Everybody answers and hands in; what the one in the browser was told at the end. */
export async function finish(candidate, virtuals) {
  const working = RIGHT.map(async (right, index) => {
    if (index === ENDED) return
    await virtuals.one(index, 'answer', right)
    assert.equal(await virtuals.one(index, 'hand_in'), 'submitted')
  })
  assert.equal(await candidate.total(), QUESTIONS)
  await candidate.answerAll({ to: QUESTIONS, right: QUESTIONS - 1 })
  await candidate.allSaved()
  await candidate.handIn()
  const end = await candidate.end(PATIENCE_MS)
  assert.equal(end.reason, 'submitted')
  assert.equal(end.passed, true)
  await Promise.all(working)
  return TITLE
}
