// What the page says while nothing reaches the server: no call is called, no break is asked for before it is.
import assert from 'node:assert/strict'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'

const NOT_SENT = /Связи нет/
/** What a word processor leaves in the clipboard, right to left and with a letter of many parts. */
const PASTED = 'Уважаемый\u00a0проктор,\v«вопрос»\u2028– שלום \u{1F469}\u200d\u{1F467}'

exam('without a line the page says that nothing was sent, and says it again when it was', { cable: true }, async sitting => {
  const { candidate, proctor, line } = sitting
  await sitting.reachExam()
  await candidate.at('chat-open').click()
  assert.match(await candidate.at('chat-who').innerText(), /на связи/)
  // From here on the other language is kept on the device too.
  await candidate.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  line.cut()
  await candidate.at('offline').waitFor()
  assert.match(await candidate.at('chat-who').innerText(), NOT_SENT, 'whether somebody is there is not known')
  await candidate.at('chat-text').fill(PASTED)
  await candidate.at('chat-send').click()
  await candidate.at('call-proctor').click()
  await candidate.at('chat').getByText(/ещё не отправлено/).waitFor()
  assert.equal(await candidate.at('called').count(), 0, 'nobody was called yet')
  // What is being written outlives the closed panel, and its limit is told before it is reached.
  await candidate.at('chat-text').fill('я'.repeat(1_950))
  assert.match(await candidate.at('chat-left').innerText(), /50/)
  await lookInBoth(candidate.page, 'candidate/chat-offline')
  await candidate.at('chat-close').click()
  await candidate.at('chat-open').click()
  assert.equal((await candidate.at('chat-text').inputValue()).length, 1_950)
  await candidate.at('chat-text').fill('')
  await candidate.at('chat-close').click()
  await candidate.at('break-ask').click()
  await candidate.at('break-toilet').click()
  assert.match(await candidate.at('break-sending').innerText(), NOT_SENT)

  line.mend()
  await candidate.at('break-asked').waitFor({ timeout: 60_000 })
  await proctor.at('chat-lines').getByText('«вопрос»').waitFor()
  await candidate.at('chat-open').click()
  await candidate.at('called').waitFor()
  await candidate.at('chat-close').click()

  // What the proctor says is read in the exam without opening anything.
  const long = 'Пожалуйста, отодвиньте камеру. '.repeat(12)
  await proctor.say(long.trim())
  await candidate.at('chat-said').waitFor()
  await lookInBoth(candidate.page, 'candidate/chat-said')
  await candidate.at('chat-said').click()
  await candidate.at('chat').getByText(long.trim()).waitFor()
  assert.equal(await candidate.at('chat-said').count(), 0)
})
