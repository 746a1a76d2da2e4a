// A day's acts of a proctor, from both seats: a break, a check of the identity, a gesture, everybody's clock, the link.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'

const kinds = async sitting => (await sitting.detail()).timeline.map(({ kind }) => kind)

exam('a break is asked for, granted by one key, and over when the candidate says so', { lang: 'kk' }, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  await candidate.at('break-ask').click()
  await candidate.at('break-toilet').click()
  await candidate.at('break-asked').waitFor()
  await proctor.at('break').waitFor()
  await proctor.at('refuse-break').click()
  await proctor.at('refuse-break-dialog').getByTestId('preset').first().click()
  await proctor.at('refuse-break-dialog').getByTestId('submit').click()
  await candidate.at('break-refused').waitFor()
  await candidate.at('break-ask').click()
  await candidate.at('break-illness').click()
  await proctor.at('grant-break').waitFor()
  await proctor.page.keyboard.press('b')
  await candidate.at('on-break').waitFor()
  assert.equal(await candidate.page.evaluate(() => document.activeElement?.tagName), 'H1', 'whoever cannot see it hears it')
  assert.equal(await candidate.at('question-text').count(), 0, 'the questions rest')
  await candidate.at('break-return').click()
  await candidate.at('question-text').waitFor()
  const done = await kinds(sitting)
  for (const kind of ['break_asked', 'break_refused', 'break_granted', 'break_ended']) assert(done.includes(kind), kind)
})

exam('a check in mid-exam shows old and new photos side by side, a gesture has another way, and an alarm gives the time back', {}, async sitting => {
  const { candidate, proctor } = sitting
  await sitting.reachExam()
  await proctor.page.keyboard.press('i')
  await proctor.at('recheck-dialog').getByTestId('preset').first().click()
  await proctor.at('recheck-dialog').getByTestId('submit').click()
  await candidate.at('recheck').waitFor()
  await candidate.at('paused').waitFor()
  for (const kind of ['face', 'document']) {
    await candidate.at(`take-${kind}`).click()
    await candidate.page.locator(`[data-testid=photo-${kind}][data-stored=true]`).waitFor()
  }
  await candidate.at('recheck-submit').click()
  await proctor.at('recheck-accept').waitFor()
  for (const photo of ['face-old', 'face-new', 'document-old', 'document-new']) {
    const width = () => proctor.at(`recheck-${photo}`).evaluate(picture => picture.naturalWidth)
    await until(`the photo ${photo}`, async () => await width() > 0)
  }
  assert.notEqual(await proctor.at('recheck-face-old').getAttribute('src'), await proctor.at('recheck-face-new').getAttribute('src'))
  await proctor.page.keyboard.press('a')
  await candidate.at('question-text').waitFor()

  await proctor.page.keyboard.press('g')
  await proctor.at('gesture-raise_hand').check()
  await proctor.at('gesture-within').selectOption('0')
  await proctor.at('gesture-dialog').getByTestId('submit').click()
  await candidate.at('gesture-alternative').click()
  await proctor.at('gesture-accept').waitFor()
  await until('the other way is said', async () => /другой способ/.test(await proctor.at('gesture').innerText()))
  await proctor.page.keyboard.press('g')
  await candidate.at('gesture').waitFor({ state: 'detached' })

  await proctor.page.keyboard.press('Escape')
  await proctor.page.keyboard.press('w')
  const everybody = proctor.at('everybody-dialog')
  await everybody.getByTestId('preset').first().click()
  await everybody.getByTestId('everybody-say').click()
  await everybody.getByTestId('everybody-done').waitFor()
  await everybody.getByTestId('pause-preset').last().click()
  await everybody.getByTestId('everybody-pause').click()
  await candidate.at('paused').waitFor()
  await everybody.getByTestId('everybody-resume').click()
  await candidate.at('question-text').waitFor()
  await proctor.page.keyboard.press('Escape')

  await proctor.openPanel(sitting.info.candidate)
  await proctor.page.keyboard.press('l')
  await until('the link', async () => await proctor.at('personal-link').inputValue() === sitting.link)
  const done = await kinds(sitting)
  for (const kind of ['recheck_ruled', 'gesture_judged', 'paused', 'resumed']) assert(done.includes(kind), kind)
})
