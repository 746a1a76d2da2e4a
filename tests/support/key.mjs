// The demo bank's answer key by the text on the screen, read from the bank's source: the server never gives it out. And its
// questions as a centre has them in another program: a GIFT file of each language.
import { readFileSync } from 'node:fs'
import { packages } from './packages.mjs'

const { parse } = packages('smol-toml')

const BANK = new URL('../../question-banks/demo/confectioner/bank.toml', import.meta.url)

/** Texts as a page shows them: white space as one blank. */
const plain = text => text.normalize('NFC').replace(/\s+/g, ' ').trim()

const bank = parse(readFileSync(BANK, 'utf8'))
const key = new Map()
for (const question of bank.question) {
  for (const lang of ['kk', 'ru']) {
    const right = question.option.filter(option => option.correct).map(option => plain(option.text[lang]))
    const wrong = question.option.filter(option => !option.correct).map(option => plain(option.text[lang]))
    key.set(plain(question.text[lang]), { right, wrong })
  }
}

/** Places of the options to choose so that the whole question is right, or is not. */
export function choice(text, options, rightly) {
  const known = key.get(plain(text))
  if (!known) throw new Error(`the demo bank has no question ${JSON.stringify(text)}`)
  const shown = options.map(plain)
  const places = texts => texts.map(option => {
    const place = shown.indexOf(option)
    if (place < 0) throw new Error(`${JSON.stringify(option)} is not among ${JSON.stringify(shown)}`)
    return place
  })
  return rightly ? places(known.right) : places(known.wrong.slice(0, 1))
}

/** Texts of questions to the texts of their right options, for whoever answers in a page of its own. */
export const rightOptions = () => [...key].map(([text, { right }]) => [text, right])

/** Moodle's GIFT reads these as its own signs. */
const escaped = text => plain(text).replace(/[~=#{}:\\]/g, '\\$&')

/** The first `each` questions with one right option of each of the first `topics` topics, in one language. */
export function gift(lang, { topics, each }) {
  return bank.topic.slice(0, topics).map(topic => {
    const questions = bank.question.filter(question => question.topic === topic.id && question.kind === 'single').slice(0, each)
    const blocks = questions.map(question => {
      const options = question.option.map(option => `  ${option.correct ? '=' : '~'}${escaped(option.text[lang])}`)
      return `::${question.id}:: ${escaped(question.text[lang])} {\n${options.join('\n')}\n}\n`
    })
    return [`$CATEGORY: ${plain(topic.title[lang])}\n`, ...blocks].join('\n')
  }).join('\n')
}
