// A day's acts as they look, on both sides, in kk and ru: the proctor's dialogs, what waits in the panel, the covers.
import { look } from './look.mjs'
import { exam } from './sitting.mjs'

for (const lang of ['kk', 'ru']) {
  exam(`acts of a proctor in ${lang}: each dialog and what the candidate sees of it`, { lang }, async sitting => {
    const { candidate, proctor } = sitting
    const desk = screen => look(proctor.page, `proctor/${screen}`)
    const seat = screen => look(candidate.page, `candidate/${screen}`)
    /** Opened by its key, looked at, closed again or sent. */
    const dialog = async (key, testid, screen) => {
      await proctor.page.keyboard.press(key)
      await proctor.at(testid).waitFor()
      await desk(screen)
    }
    const shut = async testid => {
      await proctor.page.keyboard.press('Escape')
      await proctor.at(testid).waitFor({ state: 'detached' })
    }
    await sitting.reachExam()
    await dialog('h', 'duty-dialog', 'duty')
    await shut('duty-dialog')
    await dialog('l', 'link-dialog', 'link')
    await shut('link-dialog')
    await dialog('w', 'everybody-dialog', 'everybody')
    const everybody = proctor.at('everybody-dialog')
    await everybody.getByTestId('pause-preset').last().click()
    await everybody.getByTestId('everybody-pause').click()
    await candidate.at('paused').waitFor()
    await seat('paused-everybody')
    await everybody.getByTestId('everybody-resume').waitFor()
    await desk('everybody-stopped')
    await everybody.getByTestId('everybody-resume').click()
    await candidate.at('question-text').waitFor()
    await shut('everybody-dialog')

    await dialog('i', 'recheck-dialog', 'recheck')
    await proctor.at('recheck-dialog').getByTestId('preset').first().click()
    await proctor.at('recheck-dialog').getByTestId('submit').click()
    await candidate.at('recheck').waitFor()
    await seat('recheck')
    for (const kind of ['face', 'document']) {
      await candidate.at(`take-${kind}`).click()
      await candidate.page.locator(`[data-testid=photo-${kind}][data-stored=true]`).waitFor()
    }
    await candidate.at('recheck-submit').click()
    await proctor.at('recheck-accept').waitFor()
    await desk('recheck-photos')
    await proctor.at('recheck-raise').click()
    await proctor.at('raise-note').waitFor()
    await desk('recheck-raise')
    await proctor.at('raise-cancel').click()
    await proctor.at('recheck-accept').click()
    await candidate.at('question-text').waitFor()

    await dialog('g', 'gesture-dialog', 'gesture')
    await proctor.at('gesture-raise_hand').check()
    await proctor.at('gesture-within').selectOption('0')
    await proctor.at('gesture-dialog').getByTestId('submit').click()
    await candidate.at('gesture-shown').waitFor()
    await seat('gesture')
    await candidate.at('gesture-shown').click()
    await proctor.at('gesture-accept').waitFor()
    await desk('gesture-shown')
    await proctor.at('gesture-accept').click()
    await candidate.at('gesture').waitFor({ state: 'detached' })

    await candidate.at('break-ask').click()
    await candidate.at('break-toilet').waitFor()
    await seat('break-choose')
    await candidate.at('break-toilet').click()
    await candidate.at('break-asked').waitFor()
    await seat('break-asked')
    await proctor.at('refuse-break').waitFor()
    await desk('break-asked')
    await proctor.at('refuse-break').click()
    await proctor.at('refuse-break-dialog').waitFor()
    await desk('break-refuse')
    await proctor.at('refuse-break-dialog').getByTestId('preset').first().click()
    await proctor.at('refuse-break-dialog').getByTestId('submit').click()
    await candidate.at('break-refused').waitFor()
    await seat('break-refused')
    await candidate.at('break-ask').click()
    await candidate.at('break-illness').click()
    await proctor.at('grant-break').click()
    await candidate.at('on-break').waitFor()
    await seat('on-break')
    await desk('on-break')
    await candidate.at('break-return').click()
    await candidate.at('question-text').waitFor()
  })
}
