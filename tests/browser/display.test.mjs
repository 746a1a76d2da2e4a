// How the page is shown: large text, dark, high contrast, chosen by keyboard.
import assert from 'node:assert/strict'
import { look, lookInBoth } from './look.mjs'
import { choose, opened, withProctor } from './seat/display.mjs'
import { exam } from './sitting.mjs'

/** A whole exam, each screen looked at. */
async function sit(sitting, candidate, name) {
  const { proctor, info } = sitting
  const seen = screen => look(candidate.page, `candidate/${screen}`, name)
  await candidate.at('begin-device').waitFor()
  await seen('link')
  await candidate.bind()
  await candidate.chooseLanguage()
  await seen('consent')
  await candidate.consent()
  await candidate.checkDevice()
  await candidate.sendPhotos()
  await proctor.openPanel(info.candidate)
  await proctor.admit()
  await candidate.screen('texts')
  await seen('texts')
  await candidate.readTexts()
  await candidate.begin()
  await candidate.answer(true)
  await candidate.allSaved()
  await seen('exam')
  await proctor.record('FORBIDDEN_ITEM')
  await candidate.at('warning').waitFor()
  await seen('warning')
  await candidate.acknowledgeWarning()
  await candidate.at('hand-in').click()
  await candidate.at('hand-in-dialog').waitFor()
  await seen('hand-in')
  await candidate.at('hand-in-confirm').click()
  await candidate.end()
  await seen('end')
}

exam('a whole exam in dark, in high contrast and large text, chosen by keyboard and kept over a reload', { seats: false }, async sitting => {
  await withProctor(sitting)
  const candidate = await opened(sitting)
  await choose(candidate, 'theme-dark', 'contrast', 'size-200')
  await candidate.page.reload()
  await candidate.at('begin-device').waitFor()
  const shown = await candidate.page.evaluate(() => ({ ...document.documentElement.dataset, size: document.documentElement.style.fontSize,
    dark: getComputedStyle(document.documentElement).colorScheme }))
  assert.deepEqual(shown, { theme: 'dark', contrast: 'more', size: '200%', dark: 'dark' })
  await sit(sitting, candidate, 'dark')
})

exam('a device without a voice says so instead of showing a button that does nothing', { seats: false }, async sitting => {
  const candidate = await opened(sitting, () => {
    Object.defineProperty(window, 'speechSynthesis', { value: { getVoices: () => [], addEventListener() {}, removeEventListener() {} }, configurable: true })
  })
  await candidate.at('settings-open').click()
  await candidate.at('aloud-none').waitFor()
  assert.equal(await candidate.at('aloud').count(), 0)
  await lookInBoth(candidate.page, 'candidate/settings')
})
