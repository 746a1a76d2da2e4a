// The link before its day, and a device that is not enough: what to do stands on the page, and nothing begins.
import assert from 'node:assert/strict'
import { lookInBoth, speak } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { exam } from './sitting.mjs'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A sitting days from now with one candidate: its id and the link. */
async function sittingToCome(centre) {
  const [{ programme }] = await centre.json('/api/v1/centre/programmes')
  const opens_at = Date.now() + 3 * DAY_MS
  const { sitting } = await centre.post('/api/v1/centre/sittings', 'application/json',
    JSON.stringify({ title: 'Кейін', programme, opens_at, closes_at: opens_at + HOUR_MS }))
  await centre.post(`/api/v1/centre/sittings/${sitting}/candidates`, 'text/csv', 'ФИО;ИИН\nЕсімова Сәуле Маратқызы;KZ:N0000009\n')
  const { candidates: [{ link }] } = await centre.json(`/api/v1/centre/sittings/${sitting}`)
  return { sitting, link }
}

async function moveToNow(centre, sitting) {
  const { version, title } = await centre.json(`/api/v1/centre/sittings/${sitting}`)
  const now = Date.now()
  await centre.post(`/api/v1/centre/sittings/${sitting}/change`, 'application/json',
    JSON.stringify({ version, title, opens_at: now - 60_000, closes_at: now + HOUR_MS, reason: 'Ертерек' }))
}

exam('a link opened days before says when the exam is, offers the trial run and lets nobody begin', { seats: false }, async sitting => {
  const centre = await sitting.centre()
  const { sitting: id, link } = await sittingToCome(centre)
  const candidate = await sitting.seat(Candidate.open(link, { lang: 'kk' }))
  await candidate.at('early').waitFor()
  assert(await candidate.at('begin-device').isDisabled(), 'nobody is recorded for days')
  assert.match(await candidate.at('trial-open').getAttribute('class'), /primary/)
  await lookInBoth(candidate.page, 'candidate/link-early')
  await moveToNow(centre, id)
  await candidate.page.reload()
  await candidate.bind()
})

exam('the language in the head of the page is the one of the paper, and the start names it', {}, async sitting => {
  const { candidate, proctor } = sitting
  await candidate.bind()
  await speak(candidate.page, 'kk')
  assert(await candidate.at('lang-kk').isChecked(), 'nobody reads one and sits the other')
  await candidate.at('language-next').click()
  await candidate.consent()
  await candidate.checkDevice()
  await candidate.sendPhotos()
  await proctor.openPanel(sitting.info.candidate)
  await proctor.admit()
  await candidate.readTexts()
  assert.match(await candidate.at('paper-lang').innerText(), /Қазақша/)
  await candidate.begin()
  assert.equal(await candidate.at('question-text').getAttribute('lang'), 'kk')
})

exam('a device without a microphone: the trial run names it, at once and at its end', { lang: 'ru', seats: false }, async sitting => {
  const candidate = await sitting.seat(Candidate.open('about:blank', { lang: 'ru' }))
  const { page } = candidate
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))
    navigator.mediaDevices.enumerateDevices = () => Promise.resolve([{ kind: 'videoinput' }])
  })
  await page.goto(sitting.link)
  await candidate.at('trial-open').click()
  await candidate.at('trial-allow').click()
  assert.match(await candidate.at('trial-trouble').innerText(), /Микрофон не найден/)
  await candidate.at('trial-without').click()
  await candidate.at('practice-none').click()
  assert.equal(await candidate.at('trial-end').getAttribute('data-fine'), 'false')
  const wanting = await candidate.at('trial-wanting').innerText()
  assert.match(wanting, /Микрофон: нужно исправить/)
  assert.doesNotMatch(wanting, /Связь/, 'the line was measured all the same')
  await lookInBoth(page, 'candidate/trial-wanting')
})
