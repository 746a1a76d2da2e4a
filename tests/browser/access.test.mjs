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
    const seen = screen => look(candidate.page, `candidate-${lang}-${screen}`)

    await candidate.at('begin-device').waitFor()
    await seen('01-link')
    await candidate.bind()
    await seen('02-language')
    await candidate.chooseLanguage()
    await seen('03-consent')
    await candidate.consent()
    await candidate.at('device-allow').waitFor()
    await seen('04-device')
    await candidate.at('device-allow').click()
    await candidate.page.locator('[data-testid=check-media][data-ok=true]').waitFor()
    await candidate.page.locator('[data-testid=check-connection][data-ok=true]').waitFor()
    await seen('05-device-checked')
    await until('the check can be sent', () => candidate.at('device-next').isEnabled())
    await candidate.at('device-next').click()
    await candidate.screen('photos')
    await seen('06-photos')

    const proctorBrowser = await launch({ devices: false })
    const proctor = await sitting.seat(Promise.resolve(Object.assign(new Proctor(), { browser: proctorBrowser })))
    proctor.page = await openWindow(proctorBrowser, { lang })
    const watched = screen => look(proctor.page, `proctor-${lang}-${screen}`)
    await proctor.page.goto(`${demo.links.base_url}/proctor/`)
    await proctor.at('sign-in').waitFor()
    await watched('01-sign-in')
    await signIn(proctor.page, demo.links.proctor)
    await proctor.at('tile').first().waitFor()
    await watched('02-wall')

    await candidate.sendPhotos()
    await seen('07-identity')
    await proctor.openPanel(info.candidate)
    await proctor.at('admit').waitFor()
    await watched('03-identity')
    await proctor.at('ask-again').click()
    await proctor.at('ask-again-dialog').waitFor()
    await watched('04-ask-again')
    await proctor.at('cancel').click()
    await proctor.admit()
    await candidate.screen('texts')
    await seen('08-texts')
    await candidate.readTexts()
    await seen('09-ready')
    await candidate.begin()
    await candidate.answer(true)
    await candidate.at('flag').click()
    await candidate.allSaved()
    await seen('10-exam')
    await candidate.at('chat-open').click()
    await candidate.at('call-proctor').click()
    await candidate.at('called').waitFor()
    await seen('11-chat')
    await candidate.at('chat-close').click()
    await proctor.page.locator('video').first().waitFor()
    await watched('05-exam')
    for (const dialog of ['record', 'pause', 'time', 'end', 'keys']) {
      await proctor.at(dialog).first().click()
      await proctor.page.locator('dialog[open]').waitFor()
      await watched(`06-${dialog}`)
      await proctor.page.keyboard.press('Escape')
      await proctor.page.locator('dialog[open]').waitFor({ state: 'detached' })
    }
    await proctor.pause('Тексеру / проверка')
    await candidate.at('paused').waitFor()
    await seen('12-paused')
    await proctor.resume()
    await candidate.at('question-text').waitFor()
    await proctor.record('FORBIDDEN_ITEM', { note: 'Телефон' })
    await candidate.at('warning').waitFor()
    await seen('13-warning')
    await watched('07-warned')
    await candidate.acknowledgeWarning()
    await candidate.at('warned').waitFor()
    await seen('14-warned')
    await candidate.at('hand-in').click()
    await candidate.at('hand-in-dialog').waitFor()
    await seen('15-hand-in')
    await candidate.at('hand-in-confirm').click()
    await candidate.end()
    await seen('16-end')
    await sitting.sealed()
    await watched('08-ended')

    const commission = await sitting.seat(Centre.open(demo, { lang, account: demo.links.commission }))
    await commission.loaded()
    await look(commission.page, `commission-${lang}-01-overview`)
    await commission.go('records')
    await look(commission.page, `commission-${lang}-02-records`)
    await commission.openRecord(info.candidate)
    await commission.loaded()
    await look(commission.page, `commission-${lang}-03-record`)
    await commission.approve('')
    await look(commission.page, `commission-${lang}-04-approved`)

    const centre = await sitting.seat(Centre.open(demo, { lang }))
    for (const [screen, path] of [['01-overview', ''], ['02-banks', 'banks'], ['04-import', 'banks/import'],
      ['05-programmes', 'programmes'], ['06-sittings', 'sittings'], ['08-new-sitting', 'sittings/new'],
      ['09-results', 'results'], ['10-result', `results/${info.session}`], ['11-missing', 'nowhere']]) {
      await centre.go(path)
      await look(centre.page, `centre-${lang}-${screen}`)
    }
    for (const [screen, path] of [['03-bank', 'banks'], ['07-sitting', 'sittings']]) {
      await centre.go(path)
      await centre.at('row').first().getByRole('link').first().click()
      await until('another page', () => new URL(centre.page.url()).pathname.split('/').length > 3)
      await centre.loaded()
      await look(centre.page, `centre-${lang}-${screen}`)
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
