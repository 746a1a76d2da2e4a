// A fire alarm: everybody's clock stands, and whoever begins beside them is not overlooked.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { Virtuals } from '../support/virtual.mjs'
import { lookInBoth } from './look.mjs'
import { Proctor } from './seat/proctor.mjs'
import { exam } from './sitting.mjs'

exam('after everybody was stopped one more begins: the wall says so, and one press stops them too', { seats: false, lang: 'kk' }, async sitting => {
  const { demo } = sitting
  const proctor = await sitting.seat(Proctor.open(demo, { lang: 'kk' }))
  const virtuals = await sitting.seat(Virtuals.open(demo.links.candidate_links.slice(0, 2)))
  await virtuals.all('prepare')
  for (let left = 2; left > 0; left--) {
    await proctor.page.locator('[data-testid=queue-item][data-trouble=identity]').first().click()
    await proctor.admit()
    await proctor.page.keyboard.press('Escape')
    await until('one less waits', async () => await proctor.page.locator('[data-testid=queue-item][data-trouble=identity]').count() === left - 1)
  }
  await virtuals.all('read')
  await virtuals.one(0, 'begin')
  const stop = async () => {
    await proctor.page.keyboard.press('w')
    await proctor.at('pause-preset').last().click()
    await proctor.at('everybody-pause').click()
    await proctor.at('everybody-done').waitFor()
  }
  await stop()
  await proctor.page.keyboard.press('Escape')
  const banner = proctor.at('stopped')
  await banner.waitFor()
  const numbers = () => banner.evaluate(element => [element.dataset.stopped, element.dataset.running].map(Number))
  assert.deepEqual(await numbers(), [1, 0])
  await virtuals.one(1, 'begin')
  await until('the other runs beside', async () => (await numbers())[1] === 1)
  await lookInBoth(proctor.page, 'proctor/wall-stopped')
  await stop()
  await until('both stand', async () => (await numbers()).join() === '2,0')
  await proctor.at('everybody-resume').click()
  await banner.waitFor({ state: 'detached' })
  await virtuals.all('stands', { how: ['running'] })
})
