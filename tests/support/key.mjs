// The demo bank's answer key by the text on the screen, read from the bank's source: the server never gives it out.
import { readFileSync } from 'node:fs'
import { packages } from './packages.mjs'

const { parse } = packages('smol-toml')

const BANK = new URL('../../question-banks/demo/confectioner/bank.toml', import.meta.url)

/** Texts as a page shows them: white space as one blank. */
const plain = text => text.normalize('NFC').replace(/\s+/g, ' ').trim()

const key = new Map()
for (const question of parse(readFileSync(BANK, 'utf8')).question) {
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
