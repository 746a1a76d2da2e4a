// A sitting that exists only in the proctor's page: the same wall and queue, and at the end what was missed.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look, lookInBoth, speak } from './look.mjs'
import { exam } from './sitting.mjs'
import { Proctor } from './seat/proctor.mjs'

exam('training plays a sitting on the real wall and says at the end what was found, missed and wrongly judged', { seats: false }, async sitting => {
  const proctor = await sitting.seat(Proctor.open(sitting.demo, { lang: 'kk' }))
  const asked = []
  await speak(proctor.page, 'ru')
  await proctor.page.goto(`${sitting.demo.links.base_url}/proctor/training`)
  await proctor.at('training-intro').waitFor()
  await look(proctor.page, 'proctor/training')
  // Back to the list, and here again.
  await proctor.at('training-intro').getByRole('button').last().click()
  await speak(proctor.page, 'kk')
  await proctor.at('training').click()
  await look(proctor.page, 'proctor/training')
  proctor.page.on('request', request => request.url().includes('/api/') && asked.push(request.url()))
  await proctor.at('training-begin').click()
  await proctor.at('tile').first().waitFor()
  assert.equal(await proctor.at('tile').count(), 12)
  const speed = times => proctor.at('training-speed').selectOption(times)
  const now = proctor.at('triage-now')
  await speed('20')
  await now.waitFor({ timeout: 60_000 })
  await speed('1')
  // The first is a phone, and stays before the proctor whatever comes; the second only looks so. Each by one key.
  assert.equal(await now.getAttribute('data-code'), 'FORBIDDEN_ITEM')
  assert.equal(await now.getByTestId('drawn-clip').count(), 1)
  await lookInBoth(proctor.page, 'proctor/training-alert')
  await proctor.rule('c')
  await speed('5')
  await until('the look-alike', async () => {
    if (await now.count() > 0 && await now.getAttribute('data-code') === 'NO_FACE') return true
    const listed = proctor.page.locator('[data-testid=alert][data-code=NO_FACE]')
    if (await listed.count() > 0) await listed.first().click()
    return false
  }, 60_000)
  await proctor.rule('d')
  await proctor.at('undo-bar').getByTestId('undo').waitFor()
  await speed('20')
  await proctor.at('training-result').waitFor({ timeout: 120_000 })
  const number = async id => Number(await proctor.at(`training-${id}`).innerText())
  assert.equal(await number('found'), 1)
  assert.equal(await number('wrongly-dismissed'), 0)
  assert.ok(await number('missed') >= 7, 'what nobody ruled on was missed')
  assert.equal(await proctor.page.locator('[data-outcome=rightly_dismissed]').count(), 1)
  assert.deepEqual(asked, [], 'nothing leaves the page')
  await look(proctor.page, 'proctor/training-result')
  await proctor.at('training-again').click()
  await speak(proctor.page, 'ru')
  await speed('20')
  await now.waitFor({ timeout: 60_000 })
  await proctor.at('training-end').click()
  await look(proctor.page, 'proctor/training-result')
})
