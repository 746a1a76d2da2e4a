// Before the exam: what the detectors would make of the picture, said to the one who can still move a lamp.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { scenes } from '../support/scenes.mjs'
import { lookInBoth } from './look.mjs'
import { exam } from './sitting.mjs'

const PATIENCE = { timeout: 90_000 }
const says = (candidate, seen) => candidate.page.locator(`[data-testid=coach][data-seen=${seen}]`).waitFor(PATIENCE)

async function reachCheck(candidate) {
  await candidate.bind()
  await candidate.chooseLanguage()
  await candidate.consent()
  await candidate.at('device-allow').click()
}

exam('a person is seen, a covered camera is named, and nothing waits for the coach or is claimed',
  { detectors: 'inside', shows: scenes().day, lang: 'kk' }, async ({ candidate }) => {
    await reachCheck(candidate)
    await says(candidate, 'face')
    await candidate.at('coach').getByText('Бетіңіз көрініп тұр').waitFor()
    await lookInBoth(candidate.page, 'candidate/device-coach')
    await says(candidate, 'covered')
    assert(await candidate.at('device-next').isEnabled(), 'advice holds nobody up')
    await candidate.at('device-next').click()
    await candidate.screen('photos')
  })

exam('where nobody looks at pictures there is no coach', {}, async ({ candidate }) => {
  const asked = candidate.page.waitForResponse(response => response.url().endsWith('/candidate/coach'), PATIENCE)
  await reachCheck(candidate)
  assert.deepEqual(await (await asked).json(), { seen: null, next_ms: 5_000 })
  await until('the page without it', async () => await candidate.at('coach').count() === 0)
})
