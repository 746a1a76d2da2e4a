// A whole exam by ear: in the system's own voice, and by what a screen reader is given.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { choose, opened, VOICES, withProctor } from './seat/display.mjs'
import { exam } from './sitting.mjs'

const MINUTE_MS = 60_000

/** The clock of the page, set forward on its way from the server: nobody waits for an hour. `left` in minutes. */
async function hurried(page) {
  const clock = { left: null }
  await page.routeWebSocket(/\/api\/v1\/candidate\/socket/, socket => {
    const server = socket.connectToServer()
    socket.onMessage(message => server.send(message))
    server.onMessage(message => {
      const frame = JSON.parse(message)
      const told = frame.view?.clock
      if (!told || clock.left === null) return socket.send(message)
      const ahead = told.remaining_ms - clock.left * MINUTE_MS
      told.remaining_ms -= ahead
      told.deadline -= ahead
      socket.send(JSON.stringify(frame))
    })
  })
  return clock
}

exam('a whole exam read aloud: questions, what is saved, minutes left, a stopped clock, the warning', { seats: false }, async sitting => {
  await withProctor(sitting)
  const { proctor, info } = sitting
  let clock
  const candidate = await opened(sitting, VOICES, async page => { clock = await hurried(page) })
  const { page } = candidate
  const said = async () => (await page.evaluate(() => window.speechSynthesis.said)).filter(Boolean).map(([, text]) => text)
  const isSaid = what => until(`${what} is said`, async () => (await said()).some(text => what instanceof RegExp ? what.test(text) : text.includes(what)))
  await choose(candidate, 'aloud')
  await candidate.prepare()
  await proctor.openPanel(info.candidate)
  await proctor.admit()
  await candidate.readTexts()
  await candidate.begin()
  // Asked for a question: it, its options, its place, that nothing is chosen, and how long there is.
  await candidate.at('read-aloud').click()
  const { text, options } = await candidate.read()
  const asked = await page.evaluate(() => window.speechSynthesis.said)
  const words = asked.slice(asked.lastIndexOf(null) + 1)
  assert.deepEqual(words[0], ['ru', text])
  options.forEach((option, at) => assert(words[at + 1][1].includes(option.trim()), `${words[at + 1]} says ${option}`))
  const [place, mark, left, ...more] = words.slice(options.length + 1).map(([, line]) => line)
  assert.match(place, /^Вопрос 1 из 40/)
  assert.equal(mark, await candidate.at('question-mark').innerText())
  assert.match(left, /остал[ао]сь \d+ минут/)
  assert.deepEqual(more, [])
  await page.locator('[data-testid=read-aloud][data-speaks=true]').click()
  assert.equal((await page.evaluate(() => window.speechSynthesis.said)).at(-1), null, 'its button stops it')

  // Answered and saved: the next reading says so, and another question ends the reading.
  await candidate.answer(true)
  await candidate.allSaved()
  const before = (await said()).length
  await candidate.at('read-aloud').click()
  assert((await said()).slice(before).includes(await candidate.at('question-mark').innerText()), 'saved on the server')
  await candidate.goTo(1)
  await page.locator('[data-testid=read-aloud][data-speaks=false]').waitFor()

  // What comes by itself is said by itself.
  for (const minutes of [10, 5, 1]) {
    clock.left = minutes + 0.01
    await candidate.at('flag').click()
    await isSaid(new RegExp(`остал[ао]сь ${minutes} минут`))
  }
  clock.left = null
  await proctor.pause('Проверка')
  await isSaid(await candidate.at('paused').locator('h1').innerText())
  await proctor.resume()
  await candidate.at('question-text').waitFor()
  await proctor.record('FORBIDDEN_ITEM', { note: 'Телефон на столе' })
  const happened = await candidate.at('warning-happened').innerText()
  await until('the warning is said, whole', async () => {
    const lines = await said()
    return lines.includes(happened) && lines.some(line => line.includes('Телефон на столе'))
  })
  await candidate.acknowledgeWarning()
  await candidate.at('hand-in').click()
  await isSaid(await candidate.at('hand-in-dialog').getByRole('heading').first().innerText())
  await candidate.at('hand-in-confirm').click()
  const end = await candidate.end()
  assert.equal(end.reason, 'submitted')
})

/** What a screen reader is given of this screen: one main region, one first heading, these parts, nothing without a name. */
async function heard(page, screen, parts, { headings = 1 } = {}) {
  const tree = await page.locator('body').ariaSnapshot()
  for (const part of [/- '?main ".+"/, ...parts]) assert.match(tree, part, `${screen}\n${tree}`)
  const first = tree.match(/- '?heading ".+" \[level=1\]/g) ?? []
  assert.equal(first.length, headings, `${screen}: first headings\n${tree}`)
  assert.doesNotMatch(tree, /- (button|link|checkbox|radio|textbox|combobox|dialog)(?: \[[^\]]*\])*:?\s*$/m, `${screen}: all have names\n${tree}`)
}

exam('a whole exam by a screen reader: each screen names its parts and what changes is told', { seats: false }, async sitting => {
  await withProctor(sitting)
  const { proctor, info } = sitting
  const candidate = await opened(sitting)
  const { page } = candidate
  const button = /- '?button ".+"/
  await heard(page, 'link', [/- banner/, button])
  await candidate.bind()
  await heard(page, 'language', [/- '?radio ".+"/, button])
  await candidate.chooseLanguage()
  await heard(page, 'consent', [/- '?checkbox ".+"/])
  await candidate.consent()
  await candidate.at('device-allow').waitFor()
  await heard(page, 'device', [button])
  await candidate.checkDevice()
  await heard(page, 'photos', [button])
  await candidate.sendPhotos()
  await heard(page, 'identity', [/- '?status/])
  await proctor.openPanel(info.candidate)
  await proctor.admit()
  await candidate.screen('texts')
  await heard(page, 'texts', [button])
  await candidate.readTexts()
  await heard(page, 'ready', [button])
  await candidate.begin()
  await heard(page, 'exam', [/- timer ".+"/, /- '?group ".+"/, /- '?(radio|checkbox) ".+"/, /- '?region ".+"/])

  // Who is watching: told politely, line by line; whose picture is open looks on live.
  const watched = is => page.locator(`[data-testid=watched][data-who=${is}]`).waitFor()
  await watched('live')
  await proctor.page.keyboard.press('Escape')
  await proctor.hide()
  await watched('wall')
  await proctor.show()
  await watched('live')
  await proctor.openPanel(info.candidate)

  // The page in another language does not change the paper's.
  await candidate.at('lang-select').selectOption('kk')
  await page.locator('html[lang=kk]').waitFor({ state: 'attached' })
  assert.equal(await candidate.at('question-text').getAttribute('lang'), 'ru')
  await candidate.at('lang-select').selectOption('ru')
  await page.locator('html[lang=ru]').waitFor({ state: 'attached' })

  await candidate.answer(true)
  await candidate.allSaved()
  await heard(page, 'answered', [/- '?(radio|checkbox) ".+" \[checked\]/])
  await candidate.goTo(1)
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'question-text', 'the focus goes with the question')
  await proctor.pause('Проверка')
  await candidate.at('paused').waitFor()
  await heard(page, 'paused', [/- status:\n(.*\n)*?\s+- '?heading/])
  await proctor.resume()
  await candidate.at('question-text').waitFor()
  await proctor.record('FORBIDDEN_ITEM')
  await candidate.at('warning').waitFor()
  await heard(page, 'warning', [/- '?dialog ".+"/, /- '?heading ".+" \[level=2\]/], { headings: 0 })
  await candidate.acknowledgeWarning()
  await candidate.at('hand-in').click()
  await candidate.at('hand-in-dialog').waitFor()
  await heard(page, 'hand-in', [/- '?dialog ".+"/])
  await candidate.at('hand-in-confirm').click()
  await candidate.end()
  await heard(page, 'end', [/- '?link ".+"|- '?button ".+"/])
  await proctor.close()
})
