// The clip of an incident at the proctor's, ready the moment it opens, and the line of time beside the running exam.
import assert from 'node:assert/strict'
import { playable } from '../support/clip.mjs'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { Player } from './seat/player.mjs'
import { exam } from './sitting.mjs'

exam('the clip of an incident is there when it opens, grows by the seconds after, and is kept in the record', {}, async sitting => {
  const { candidate, proctor, demo, info } = sitting
  await sitting.reachExam()
  await until('something is recorded', async () => (await proctor.seesAndHears()).time > 12, 60_000)
  const second = await candidate.anotherTab()
  await second.screen('other_device')
  const card = proctor.at('open-incidents').getByTestId('incident').first()
  await card.waitFor()
  const shown = Date.now()
  const first = await playable(card.getByTestId('clip-video'))
  const view = await (await sitting.centre()).json(`/api/v1/playback/${info.session}/clips/1`)
  console.log(`# clip playable ${first.at - view.began_at} ms after the incident began, ${first.at - shown} ms after its card; ${first.duration.toFixed(1)} s long`)
  assert(first.duration >= 6 && first.width > 0, JSON.stringify(first))
  await proctor.page.locator('[data-testid=clip][data-whole=true]').waitFor({ timeout: 60_000 })
  const whole = await until('the ten seconds after are in it', async () => {
    const { duration } = await playable(card.getByTestId('clip-video'))
    return duration > first.duration + 5 && duration
  }, 60_000)
  assert(whole < 40, `${whole} s`)

  // The line of time beside the running exam.
  await proctor.at('panel-recording').locator('summary').first().click()
  const player = new Player(proctor.page)
  await player.ready()
  await lookInBoth(proctor.page, 'proctor/playback')
  const mark = proctor.page.locator('[data-testid=playback-mark][data-kind=SECOND_CONNECTION]')
  await mark.focus()
  await proctor.page.keyboard.press('Enter')
  const began = Number(await mark.getAttribute('data-at'))
  await until('it stands at the mark', async () => Math.abs(await player.time() - began) < 1_100)

  await sitting.dismissOpenIncident()
  await candidate.handIn()
  await candidate.end()
  await sitting.sealed()
  const names = await sitting.sealedEvidence()
  assert(names.includes('clip-0001.webm'), names.join())
  const staff = await sitting.centre()
  const kept = await staff.json(`/api/v1/playback/${info.session}/clips/1`)
  assert.equal(kept.name, 'clip-0001.webm')
  assert(kept.whole && kept.from <= kept.began_at - 5_000 && kept.to >= kept.began_at + 5_000, JSON.stringify(kept))

  const commission = await sitting.seat(Centre.open(demo, { lang: 'kk', account: demo.links.commission }))
  await commission.openRecord(info.candidate)
  await commission.at('show-clip').first().click()
  await playable(commission.at('clip-video').first())
  await commission.at('open-playback').click()
  await new Player(commission.page).ready()
  await lookInBoth(commission.page, 'commission/playback')
})
