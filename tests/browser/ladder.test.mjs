// A line that carries less than full video: less picture by steps, every answer, and what did not arrive arrives later.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { Player } from './seat/player.mjs'
import { exam } from './sitting.mjs'

/** Sound alone with its packets' heads takes more than half of it. */
const WEAK_BITS = 100_000
const PATIENCE = { timeout: 60_000 }

/** The candidate's picture takes the relay too, from the first page on. */
async function behindTheLine({ candidate, line }) {
  await line.relayMedia(candidate.page)
  await candidate.page.reload()
}

/** The record's ladder: what the steps were, in order. */
async function sealedSteps(sitting) {
  const { payload, events } = JSON.parse(await sitting.bundle())
  const { supervision, violations, evidence_gaps: gaps } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  assert.deepEqual(violations, [], 'less picture is technical')
  assert.deepEqual(gaps.filter(({ why }) => /lost on|not finished/.test(why)), [], 'what the device announced it brought')
  const logged = events.filter(({ kind }) => kind === 'media_stepped').map(({ body }) => body.fact.step)
  const steps = supervision.steps ?? []
  assert.deepEqual(steps.map(({ step }) => step), logged)
  return steps
}

/** What the device recorded plays at its place of the line of time. */
async function playsLocal(sitting) {
  const { demo, info } = sitting
  const { tracks: [webcam] } = await (await sitting.centre()).json(`/api/v1/playback/${info.session}`)
  const part = webcam.parts.find(({ name }) => name === 'local-0001.webm')
  const commission = await sitting.seat(Centre.open(demo, { lang: 'kk', account: demo.links.commission }))
  await commission.openRecord(info.candidate)
  await commission.at('open-playback').click()
  const player = new Player(commission.page)
  await player.ready()
  await player.shows(part.at + part.ms / 2, part)
  await commission.at('playback-local').waitFor()
}

exam('a weak line: less picture by steps and all of it again, shown to both, and no answer lost', { cable: true }, async sitting => {
  const { candidate, proctor, line, info } = sitting
  await behindTheLine(sitting)
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 2, right: 2 })
  line.rate = WEAK_BITS
  await candidate.at('ladder').waitFor(PATIENCE)
  await proctor.tile(info.candidate).and(proctor.page.locator(':not([data-step=full])')).waitFor(PATIENCE)
  await proctor.at('panel-step').waitFor(PATIENCE)
  await lookInBoth(candidate.page, 'candidate/weak-line')
  await lookInBoth(proctor.page, 'proctor/weak-line')
  for (const [index, shown] of await candidate.answerAll({ from: 2, to: 5, right: 3 })) answers.set(index, shown)
  await candidate.allSaved(60_000)
  line.rate = undefined
  await candidate.at('ladder').waitFor({ state: 'detached', timeout: 180_000 })
  await proctor.page.locator('[data-testid=tile][data-step=full]').filter({ hasText: info.candidate }).waitFor(PATIENCE)
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  const steps = await sealedSteps(sitting)
  // Which step a busy machine comes to is the line's matter; that there is less, and why, is ours.
  assert(steps.length >= 2 && steps[0].step !== 'full' && steps[0].why !== 'recovered', JSON.stringify(steps))
  assert.equal(steps.at(-1).step, 'full')
})

exam('no way for video in mid-exam: stills at once, the recording of the device later', { cable: true, lang: 'kk' }, async sitting => {
  const { candidate, proctor, line } = sitting
  await behindTheLine(sitting)
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 2, right: 2 })
  line.blockMedia()
  await candidate.page.locator('[data-testid=ladder][data-step=stills]').waitFor(PATIENCE)
  await proctor.page.locator('[data-testid=tile][data-step=stills]').waitFor(PATIENCE)
  answers.set(2, (await candidate.answerAll({ from: 2, to: 3, right: 1 })).get(2))
  const stored = async kind => (await sitting.detail()).timeline.some(entry => entry.kind === kind)
  await until('a piece of the device is at the server', () => stored('local_stored'), 60_000)
  line.openMedia()
  await candidate.at('ladder').waitFor({ state: 'detached', timeout: 180_000 })
  await candidate.at('kept-recording').waitFor({ state: 'detached', timeout: 60_000 })
  await candidate.allSaved(60_000)
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  const evidence = await sitting.sealedEvidence()
  for (const name of ['local-0001.webm', 'line-still-0001']) assert(evidence.includes(name), `${name} in ${evidence}`)
  await playsLocal(sitting)
  const steps = await sealedSteps(sitting)
  // A busy machine may come to other steps besides.
  assert(steps.some(({ step, why }) => step === 'stills' && why === 'no_path'), JSON.stringify(steps))
  assert.equal(steps.at(-1).step, 'full')
})

exam('handed in while no video comes through: the page brings its recording before the record is sealed', { cable: true }, async sitting => {
  const { candidate, line } = sitting
  await behindTheLine(sitting)
  await sitting.reachExam()
  const answers = await candidate.answerAll({ to: 1, right: 1 })
  line.blockMedia()
  await candidate.page.locator('[data-testid=ladder][data-step=stills]').waitFor(PATIENCE)
  const waits = async () => (await sitting.detail()).timeline.some(entry => entry.kind === 'local_kept')
  await until('the server knows that a recording waits', waits, 60_000)
  await candidate.handIn()
  await candidate.end()
  assert.deepEqual(await sitting.sealedAnswers(), answers)
  await candidate.page.locator('[data-testid=end-close][data-done=true]').waitFor(PATIENCE)
  const evidence = await sitting.sealedEvidence()
  assert(evidence.some(name => name.startsWith('local-')), `${evidence}`)
  assert.equal((await sealedSteps(sitting)).at(-1).step, 'stills')
})

/** As every WebM begins. */
const EBML = [0x1a, 0x45, 0xdf, 0xa3]

/** Runs in the page: what lies on the device, and whether a script of the page could take its key away. */
async function kept() {
  const name = 'synaq-kept'
  const answered = request => new Promise((done, fail) => Object.assign(request, { onsuccess: () => done(request.result), onerror: () => fail(request.error) }))
  // Opened before the page has made it, it would stay empty.
  if (!(await indexedDB.databases()).some(database => database.name === name)) return { pieces: [] }
  const db = await answered(indexedDB.open(name))
  const reading = db.transaction(['keys', 'pieces'])
  const [keys, pieces] = await Promise.all(['keys', 'pieces'].map(store => answered(reading.objectStore(store).getAll())))
  db.close()
  const shown = await Promise.all(keys.map(key => crypto.subtle.exportKey('raw', key).then(() => true, () => false)))
  return { keys: keys.length, isKeyShown: shown.some(Boolean), pieces: pieces.map(({ id, from, sealed }) => ({ id, from, head: [...new Uint8Array(sealed, 0, 4)] })) }
}

exam('without any line the device keeps its recording encrypted, over a reload too, and brings it in order', { cable: true }, async sitting => {
  const { candidate, line, info } = sitting
  const onDevice = () => candidate.page.evaluate(kept)
  await behindTheLine(sitting)
  await sitting.reachExam()
  await candidate.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  line.blockMedia()
  line.cut()
  const held = await until('two pieces on the device', async () => {
    const now = await onDevice()
    return now.pieces.length >= 2 && now
  }, 90_000)
  assert.deepEqual([held.keys, held.isKeyShown], [1, false])
  for (const { id, head } of held.pieces) assert.notDeepEqual(head, EBML, `piece ${id} is in the plain`)
  await candidate.page.reload()
  await candidate.screen('exam', 60_000)
  const after = await onDevice()
  assert.deepEqual(after.pieces.slice(0, held.pieces.length), held.pieces, 'what lay there is still there')
  line.mend()
  line.openMedia()
  await until('all of it is at the server', async () => (await onDevice()).pieces.length === 0, 120_000)
  await candidate.allSaved(60_000)
  await candidate.handIn()
  await candidate.end()
  const brought = (await sitting.sealedEvidence()).filter(name => name.startsWith('local-'))
  assert(brought.length >= held.pieces.length, `${brought}`)
  const { tracks: [webcam] } = await (await sitting.centre()).json(`/api/v1/playback/${info.session}`)
  const times = brought.toSorted().map(name => webcam.parts.find(part => part.name === name)?.at)
  assert(times.every((at, index) => at !== undefined && (index === 0 || at > times[index - 1])), `${brought}: ${times}`)
  // The device says when it began, by the server's clock as it knows it.
  assert.deepEqual(times.slice(0, held.pieces.length), held.pieces.map(({ from }) => from))
})
