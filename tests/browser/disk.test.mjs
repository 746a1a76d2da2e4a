// A full disk under the running server: nothing is told saved that is not, and freeing room is all it takes.
import assert from 'node:assert/strict'
import { exam } from './sitting.mjs'

exam('full disk: answers wait on the device, reading goes on, and with room again everything is saved', { disk: '64m' }, async sitting => {
  const { candidate, proctor, demo } = sitting
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 2, right: 2 })
  await candidate.allSaved()
  await candidate.goTo(2)
  await candidate.at('question-text').waitFor()
  const free = demo.fillDisk()
  answers.set(2, await candidate.answer(true))
  await candidate.page.locator('[data-testid=question-mark][data-state=device]').waitFor()
  assert.equal(await candidate.at('place-2').getAttribute('data-unsaved'), 'true')
  assert.equal((await fetch(`${demo.links.base_url}/healthz`)).status, 200)

  // What must be written is refused by name; what is stored is still shown as it was.
  await assert.rejects(sitting.centre(), /store_unavailable/)
  assert.match(await proctor.tile(sitting.info.candidate).textContent(), /2\/40/)
  await candidate.goTo(1)
  free()
  await candidate.allSaved(60_000)
  assert.match(demo.log, /disk is full/)

  await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
  for (const [index, shown] of await candidate.answerAll({ from: 3, to: 5, right: 2 })) answers.set(index, shown)
  await candidate.allSaved()
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  const verified = await demo.verify(await sitting.bundle(), demo.seen('trust.json'))
  assert(verified.passed, verified.said)
})
