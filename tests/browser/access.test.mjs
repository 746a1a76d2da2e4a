// Every screen of every seat, in kk and ru, wide and 320 px: no sideways scrolling, axe finds nothing. And an exam
// by keyboard alone.
import assert from 'node:assert/strict'
import { choice } from '../support/key.mjs'
import { until } from '../support/demo.mjs'
import { look } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { Centre } from './seat/centre.mjs'
import { Proctor, signIn } from './seat/proctor.mjs'
import { launch, openWindow } from '../support/chromium.mjs'
import { exam } from './sitting.mjs'

for (const lang of ['kk', 'ru']) {
  exam(`screens of all seats in ${lang}`, { lang, seats: false }, async sitting => {
    const { demo, info, link } = sitting
    const candidate = await sitting.seat(Candidate.open(link, { lang }))
    sitting.candidate = candidate
    const seen = screen => look(candidate.page, `candidate/${screen}`)

    await candidate.at('begin-device').waitFor()
    await seen('link')
    await candidate.bind()
    await seen('language')
    await candidate.chooseLanguage()
    await seen('consent')
    await candidate.consent()
    await candidate.at('device-allow').waitFor()
    await seen('device')
    await candidate.at('device-allow').click()
    await candidate.page.locator('[data-testid=check-media][data-ok=true]').waitFor()
    await candidate.page.locator('[data-testid=check-connection][data-ok=true]').waitFor()
    await seen('device-checked')
    await until('the check can be sent', () => candidate.at('device-next').isEnabled())
    await candidate.at('device-next').click()
    await candidate.screen('photos')
    await seen('photos')

    const proctorBrowser = await launch({ devices: false })
    const proctor = await sitting.seat(Promise.resolve(Object.assign(new Proctor(), { browser: proctorBrowser })))
    proctor.page = await openWindow(proctorBrowser, { lang })
    const watched = screen => look(proctor.page, `proctor/${screen}`)
    await proctor.page.goto(`${demo.links.base_url}/proctor/`)
    await proctor.at('sign-in').waitFor()
    await look(proctor.page, 'staff/sign-in')
    await signIn(proctor.page, demo.links.proctor)
    await proctor.at('tile').first().waitFor()
    await watched('wall')

    await candidate.sendPhotos()
    await seen('identity')
    await proctor.openPanel(info.candidate)
    await proctor.at('admit').waitFor()
    await watched('identity')
    await proctor.at('ask-again').click()
    await proctor.at('ask-again-dialog').waitFor()
    await watched('ask-again')
    await proctor.at('cancel').click()
    await proctor.admit()
    await candidate.screen('texts')
    await seen('texts')
    await candidate.readTexts()
    await seen('ready')
    await candidate.begin()
    await candidate.answer(true)
    await candidate.at('flag').click()
    await candidate.allSaved()
    await seen('exam')
    await candidate.at('chat-open').click()
    await candidate.at('call-proctor').click()
    await candidate.at('called').waitFor()
    await seen('chat')
    await candidate.at('chat-close').click()
    await proctor.page.locator('video').first().waitFor()
    await watched('exam')
    for (const dialog of ['record', 'pause', 'time', 'end', 'keys']) {
      await proctor.at(dialog).first().click()
      await proctor.page.locator('dialog[open]').waitFor()
      await watched(dialog)
      await proctor.page.keyboard.press('Escape')
      await proctor.page.locator('dialog[open]').waitFor({ state: 'detached' })
    }
    await proctor.pause('Тексеру / проверка')
    await candidate.at('paused').waitFor()
    await seen('paused')
    await proctor.resume()
    await candidate.at('question-text').waitFor()
    await proctor.record('FORBIDDEN_ITEM', { note: 'Телефон' })
    await candidate.at('warning').waitFor()
    await seen('warning')
    await watched('warned')
    await candidate.acknowledgeWarning()
    await candidate.at('warned').waitFor()
    await seen('warned')
    await candidate.at('hand-in').click()
    await candidate.at('hand-in-dialog').waitFor()
    await seen('hand-in')
    await candidate.at('hand-in-confirm').click()
    await candidate.end()
    await seen('end')
    await sitting.sealed()
    await watched('ended')

    const commission = await sitting.seat(Centre.open(demo, { lang, account: demo.links.commission }))
    await commission.loaded()
    await look(commission.page, 'commission/overview')
    await commission.go('records')
    await look(commission.page, 'commission/records')
    await commission.openRecord(info.candidate)
    await commission.loaded()
    await look(commission.page, 'commission/record')
    await commission.approve('')
    await look(commission.page, 'commission/approved')

    const centre = await sitting.seat(Centre.open(demo, { lang }))
    for (const [screen, path] of [['overview', ''], ['banks', 'banks'], ['bank-import', 'banks/import'], ['programmes', 'programmes'],
      ['programme-import', 'programmes/import'], ['sittings', 'sittings'], ['sitting-new', 'sittings/new'], ['results', 'results'],
      ['result', `results/${info.session}`], ['missing', 'nowhere']]) {
      await centre.go(path)
      await look(centre.page, `centre/${screen}`)
    }
    for (const [screen, path] of [['bank', 'banks'], ['sitting', 'sittings']]) {
      await centre.go(path)
      await centre.at('row').first().getByRole('link').first().click()
      await until('another page', () => new URL(centre.page.url()).pathname.split('/').length > 3)
      await centre.loaded()
      await look(centre.page, `centre/${screen}`)
    }
  })
}

exam('by keyboard alone, from the link to the end', {}, async sitting => {
  const { candidate, proctor, info } = sitting
  const keys = candidate.page.keyboard
  /** Tab until the focus is on it, as somebody without a mouse does. */
  const reach = async testid => {
    for (let steps = 0; steps < 120; steps++) {
      const focused = await candidate.page.evaluate(() => document.activeElement?.dataset.testid)
      if (focused === testid) return
      await keys.press('Tab')
    }
    assert.fail(`${testid} cannot be reached by Tab`)
  }
  const press = async (testid, key = 'Enter') => {
    await candidate.at(testid).waitFor()
    await until(`${testid} can be pressed`, () => candidate.at(testid).isEnabled())
    await reach(testid)
    await keys.press(key)
  }
  await press('begin-device')
  await candidate.screen('language')
  await reach(await candidate.at('lang-kk').isChecked() ? 'lang-kk' : 'lang-ru')
  while (!await candidate.at('lang-ru').isChecked()) await keys.press('ArrowDown')
  await press('language-next')
  await press('consent-check', 'Space')
  await press('consent-next')
  await press('device-allow')
  await press('device-next')
  await press('take-face')
  await candidate.page.locator('[data-testid=photo-face][data-stored=true]').waitFor()
  await press('take-document')
  await candidate.page.locator('[data-testid=photo-document][data-stored=true]').waitFor()
  await press('identity-submit')
  await candidate.screen('identity')

  // The proctor's commonest act is one key.
  await proctor.openPanel(info.candidate)
  await proctor.at('admit').waitFor()
  await proctor.page.keyboard.press('a')
  for (const text of ['methodology', 'appeal_procedure', 'forbidden_items', 'conduct']) await press(`confirm-${text}`)
  await press('begin-exam')
  await candidate.at('question-text').waitFor()

  // Escape closes what is open, and the browser leaves full screen with it: one key leads back.
  await candidate.page.evaluate(() => document.exitFullscreen())
  await until('the way back has the focus', () => candidate.page.evaluate(() => document.activeElement?.dataset.testid === 'fullscreen-return'))
  await keys.press('Enter')
  await candidate.at('fullscreen-left').waitFor({ state: 'detached' })

  for (let index = 0; index < 3; index++) {
    await candidate.page.locator(`[data-testid=question][data-index="${index}"]`).waitFor()
    await candidate.at('question-text').waitFor()
    const { text, options } = await candidate.read()
    const places = choice(text, options, true)
    if (await candidate.at('option-0').getAttribute('type') === 'checkbox') {
      for (const place of places) await press(`option-${place}`, 'Space')
    } else {
      await reach('option-0')
      await keys.press('Space')
      while (!await candidate.at(`option-${places[0]}`).isChecked()) await keys.press('ArrowDown')
    }
    await press('next')
  }
  await candidate.allSaved()
  await press('hand-in')
  await candidate.at('hand-in-dialog').waitFor()
  await press('hand-in-confirm')
  const end = await candidate.end()
  assert.equal(end.reason, 'submitted')
  const { row } = await sitting.sealed()
  assert.equal(row.summary.correct, 3)
})
