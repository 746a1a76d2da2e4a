// Who watches whom: nobody unwatched without a loud sign, and what one shift tells the next.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
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
