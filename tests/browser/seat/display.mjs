// A page shown or heard in another way: what its tests share.
import { until } from '../../support/demo.mjs'
import { Candidate } from './candidate.mjs'
import { Proctor } from './proctor.mjs'

/** A system with a Russian voice, which notes what it is told to say. */
export const VOICES = () => {
  const said = []
  const voice = { lang: 'ru-RU', localService: true, name: 'fake', default: true, voiceURI: 'fake' }
  const speech = { said, getVoices: () => [voice], cancel: () => said.push(null), speak: utterance => said.push([utterance.lang, utterance.text]),
    addEventListener() {}, removeEventListener() {} }
  Object.defineProperty(window, 'speechSynthesis', { value: speech, configurable: true })
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text } }
}

/** A candidate's page before the link's button, `prepare` run before its scripts, `route` before its first request. */
export async function opened(sitting, prepare, route) {
  const candidate = await sitting.seat(Candidate.open('about:blank', { lang: 'ru' }))
  if (prepare) await candidate.page.addInitScript(prepare)
  await route?.(candidate.page)
  candidate.link = sitting.link
  await candidate.page.goto(sitting.link)
  // The head of the page is made anew once the link was looked up.
  await candidate.at('begin-device').waitFor()
  sitting.candidate = candidate
  return candidate
}

/** By keyboard: opens the settings, presses what is named, closes them. */
export async function choose(candidate, ...testids) {
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

/** A proctor beside the candidate, in Russian. */
export async function withProctor(sitting) {
  sitting.proctor = await sitting.seat(Proctor.open(sitting.demo, { lang: 'ru' }))
}
