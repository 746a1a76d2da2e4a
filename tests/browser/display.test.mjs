// How the page is shown and heard: large text, dark, high contrast, read aloud, by keyboard, by a screen reader.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { exam } from './sitting.mjs'

/** A system with a Russian voice, which notes what it is told to say. */
const VOICES = () => {
  const said = []
  const voice = { lang: 'ru-RU', localService: true, name: 'fake', default: true, voiceURI: 'fake' }
  const speech = { said, getVoices: () => [voice], cancel: () => said.push(null), speak: utterance => said.push([utterance.lang, utterance.text]),
    addEventListener() {}, removeEventListener() {} }
  Object.defineProperty(window, 'speechSynthesis', { value: speech, configurable: true })
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text } }
}

async function opened(sitting, prepare) {
  const candidate = await sitting.seat(Candidate.open('about:blank', { lang: 'ru' }))
  if (prepare) await candidate.page.addInitScript(prepare)
  candidate.link = sitting.link
  await candidate.page.goto(sitting.link)
  // The head of the page is made anew once the link was looked up.
  await candidate.at('begin-device').waitFor()
  sitting.candidate = candidate
  return candidate
}

/** By keyboard: opens the settings, presses what is named, closes them. */
async function choose(candidate, ...testids) {
  await candidate.at('settings-open').focus()
  await candidate.page.keyboard.press('Enter')
  await candidate.at('settings').waitFor()
  for (const testid of testids) {
    await candidate.at(testid).focus()
    await candidate.page.keyboard.press('Space')
    await until(`${testid} is chosen`, () => candidate.at(testid).isChecked())
  }
  await candidate.at('settings-close').focus()
  await candidate.page.keyboard.press('Enter')
  await candidate.at('settings').waitFor({ state: 'detached' })
}

/** A whole exam, each screen looked at. */
async function sit(sitting, candidate, name) {
  const { proctor, info } = sitting
  const seen = screen => look(candidate.page, `display-${name}-${screen}`)
  await candidate.at('begin-device').waitFor()
  await seen('01-link')
  await candidate.bind()
  await candidate.chooseLanguage()
  await seen('02-consent')
  await candidate.consent()
  await candidate.checkDevice()
  await candidate.sendPhotos()
  await proctor.openPanel(info.candidate)
  await proctor.admit()
  await candidate.screen('texts')
  await seen('03-texts')
  await candidate.readTexts()
  await candidate.begin()
  await candidate.answer(true)
  await candidate.allSaved()
  await seen('04-exam')
  await proctor.record('FORBIDDEN_ITEM')
  await candidate.at('warning').waitFor()
  await seen('05-warning')
  await candidate.acknowledgeWarning()
  await candidate.at('hand-in').click()
  await candidate.at('hand-in-dialog').waitFor()
  await seen('06-hand-in')
  await candidate.at('hand-in-confirm').click()
  await candidate.end()
  await seen('07-end')
}

async function withProctor(sitting) {
  const { Proctor } = await import('./seat/proctor.mjs')
  sitting.proctor = await sitting.seat(Proctor.open(sitting.demo, { lang: 'ru' }))
}

exam('a whole exam in dark, in high contrast and large text, chosen by keyboard and kept over a reload', { seats: false }, async sitting => {
  await withProctor(sitting)
  const candidate = await opened(sitting)
  await choose(candidate, 'theme-dark', 'contrast', 'size-150')
  await candidate.page.reload()
  await candidate.at('begin-device').waitFor()
  const shown = await candidate.page.evaluate(() => ({ ...document.documentElement.dataset, size: document.documentElement.style.fontSize,
    dark: getComputedStyle(document.documentElement).colorScheme }))
  assert.deepEqual(shown, { theme: 'dark', contrast: 'more', size: '150%', dark: 'dark' })
  await sit(sitting, candidate, 'dark')
})

exam('read aloud in the language of the paper, stopped by its button, and a screen reader finds its way', { seats: false }, async sitting => {
  await withProctor(sitting)
  const { proctor, info } = sitting
  const candidate = await opened(sitting, VOICES)
  const { page } = candidate
  const said = () => page.evaluate(() => window.speechSynthesis.said)
  await choose(candidate, 'aloud')
  await candidate.prepare()
  await proctor.openPanel(info.candidate)
  await proctor.admit()
  await candidate.readTexts()
  await candidate.begin()

  // Who is watching, what arrives, whether the time runs.
  const watched = facts => page.locator(`[data-testid=watched]${Object.entries(facts).map(([fact, is]) => `[data-${fact}=${is}]`).join('')}`).waitFor()
  await watched({ who: 'wall', arrives: 'both', time: 'runs' })
  await proctor.pause('Проверка')
  await watched({ time: 'stands' })
  await proctor.resume()
  await watched({ time: 'runs' })

  const { text, options } = await candidate.read()
  await candidate.at('read-aloud').click()
  const words = (await said()).filter(Boolean)
  assert.equal(words.length, options.length + 1)
  assert.deepEqual(words[0], ['ru', text])
  options.forEach((option, at) => assert(words[at + 1][1].includes(option.trim()), `${words[at + 1]} says ${option}`))
  await page.locator('[data-testid=read-aloud][data-speaks=true]').click()
  assert.equal((await said()).at(-1), null, 'stopped')
  await candidate.at('read-aloud').click()
  await candidate.goTo(1)
  await page.locator('[data-testid=read-aloud][data-speaks=false]').waitFor()
  assert.equal((await said()).at(-1), null, 'another question ends it')

  // The settings are there in the middle of the exam, and the page in another language does not change the paper's voice.
  await choose(candidate, 'size-125')
  await page.locator('[data-testid=lang-select]').selectOption('kk')
  await page.locator('html[lang=kk]').waitFor({ state: 'attached' })
  assert.equal(await candidate.at('question-text').getAttribute('lang'), 'ru')

  // What a screen reader is given: one main region, one first heading, a named group of named options, a named clock.
  const tree = await page.locator('body').ariaSnapshot()
  for (const part of [/- banner/, /- '?main "/, /- timer "/, /- '?heading ".+" \[level=1\]/, /- '?group ".+"/, /- '?(radio|checkbox) ".+"/]) assert.match(tree, part)
  assert.equal(tree.match(/- '?heading ".+" \[level=1\]/g).length, 1, tree)
  assert.doesNotMatch(tree, /- button\s*$/m, 'no button without a name')
  await proctor.close()
  await watched({ who: 'nobody', arrives: 'both' })
  await candidate.handIn()
  await candidate.end()
})

exam('a device without a voice says so instead of showing a button that does nothing', { seats: false }, async sitting => {
  const candidate = await opened(sitting, () => {
    Object.defineProperty(window, 'speechSynthesis', { value: { getVoices: () => [], addEventListener() {}, removeEventListener() {} }, configurable: true })
  })
  await candidate.at('settings-open').click()
  await candidate.at('aloud-none').waitFor()
  assert.equal(await candidate.at('aloud').count(), 0)
  for (const lang of ['kk', 'ru']) {
    await candidate.at('settings-close').click()
    await candidate.at('lang-select').selectOption(lang)
    await page_(candidate, lang)
    await candidate.at('settings-open').click()
    await look(candidate.page, `candidate-${lang}-25-settings`)
  }
})

const page_ = (candidate, lang) => candidate.page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
