// Who watches whom: nobody unwatched without a loud sign, and what one shift tells the next.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { Proctor } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

exam('who goes off duty leaves a loud sign and a note for the next shift', { lang: 'kk' }, async sitting => {
  const { proctor } = sitting
  const mine = async () => Number(await proctor.at('duty').getAttribute('data-mine'))
  await until('the candidates are mine', async () => await mine() > 0)
  assert.equal(await proctor.at('unwatched').count(), 0)
  await proctor.page.keyboard.press('h')
  await proctor.at('shift-note').fill('Үшінші орындағы кандидатта есту аппараты бар.')
  await proctor.at('shift-note-add').click()
  await proctor.at('shift-notes').getByText('есту аппараты').waitFor()
  await proctor.at('duty-toggle').click()
  await proctor.page.keyboard.press('Escape')
  await proctor.at('unwatched').waitFor()
  await proctor.at('go-on-duty').click()
  await proctor.at('unwatched').waitFor({ state: 'detached' })
  await until('the candidates are mine again', async () => await mine() > 0)
})

exam('a shift is handed over by one press: the note is kept, the colleague has all candidates and sees that there is something to read', { seats: false }, async sitting => {
  const { demo } = sitting
  const proctor = await sitting.seat(Proctor.open(demo, { lang: 'ru' }))
  const mine = async seat => Number(await seat.at('duty').getAttribute('data-mine'))
  await until('the candidates are mine', async () => await mine(proctor) > 0)
  const all = await mine(proctor)
  await proctor.page.keyboard.press('h')
  await proctor.at('duty-nobody').waitFor()
  const second = await sitting.seat(Proctor.open(demo, { lang: 'kk', account: demo.links.second_proctor }))
  await proctor.at('duty-heirs').waitFor()
  assert.equal(await second.at('notes-unread').count(), 0)
  await proctor.at('shift-note').fill('Кандидат у окна ждёт врача.')
  await proctor.at('duty-toggle').click()
  await proctor.at('shift-notes').getByText('ждёт врача').waitFor()
  await until('the colleague has all', async () => await mine(second) === all)
  assert.equal(await proctor.at('notes-unread').count(), 0, 'one\u2019s own words are no news')
  await second.at('notes-unread').waitFor()
  await second.page.keyboard.press('h')
  await second.at('shift-notes').getByText('ждёт врача').waitFor()
  await second.at('notes-unread').waitFor({ state: 'detached' })
})
