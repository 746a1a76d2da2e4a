// Evidence in an S3 server that somebody else made: recorded into it by a browser, carried on after the server was killed,
// played out of it, erased in it.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { playable } from '../support/clip.mjs'
import { until } from '../support/demo.mjs'
import { Centre } from './seat/centre.mjs'
import { Player } from './seat/player.mjs'
import { exam } from './sitting.mjs'

const RECORDED_S = 5
const CARRIED_MS = 90_000
/** What a killed server may lose of a picture (MEDIA.md), and what is on its way from the camera in that moment. */
const LOST_MS = 2_000
const ON_ITS_WAY_MS = 1_500
/** Every recording names its codec in the plain; nothing in the store does. */
const PLAIN = 'V_VP8'

const seconds = async proctor => (await proctor.seesAndHears()).time
const webcams = store => store.objects().filter(name => name.includes('/webcam-'))
/** Pieces that still lie on the server's own disk. */
const local = demo => readdirSync(join(demo.data, 'evidence'), { recursive: true }).filter(name => name.endsWith('.blob'))

/** A second device asks to come in: an incident that waits for a person. */
async function incident({ candidate, proctor }) {
  const second = await candidate.anotherTab()
  await second.screen('other_device')
  await proctor.at('open-incidents').getByTestId('incident').first().waitFor()
  await second.page.close()
}

/** Recording and clip as the commission plays them; how many answers were parts. */
async function plays(sitting, killed) {
  const { demo, info } = sitting
  const commission = await sitting.seat(Centre.open(demo, { account: demo.links.commission }))
  const ranges = []
  commission.page.on('response', response => response.status() === 206 && ranges.push(new URL(response.url()).pathname))
  await commission.openRecord(info.candidate)
  await commission.at('show-clip').first().click()
  const clip = await playable(commission.at('clip-video').first())
  assert(clip.width > 0 && clip.duration > RECORDED_S, JSON.stringify(clip))
  await commission.at('open-playback').click()
  const player = new Player(commission.page)
  await player.ready()
  const { tracks: [webcam] } = await (await sitting.centre()).json(`/api/v1/playback/${info.session}`)
  const parts = webcam.parts.filter(({ name, ms }) => name.startsWith('webcam-') && ms > (RECORDED_S - 2) * 1_000)
  assert(parts.length >= 2, JSON.stringify(webcam.parts))
  const before = parts.findLast(({ at }) => at < killed)
  const lost = killed - before.at - before.ms
  console.log(`# the killed server lost ${lost} ms`)
  assert(lost < LOST_MS + ON_ITS_WAY_MS, `${lost} ms`)
  // Far into each: while the candidate's page comes back there may be a stretch that its device recorded.
  for (const part of [parts.at(-1), before]) await player.shows(part.at + part.ms * 0.75, part)
  assert(ranges.length >= parts.length && ranges.every(path => path.startsWith('/api/v1/')), `${ranges}`)
}

exam('an exam is recorded into somebody else’s S3 server, carried on after a kill, played out of it by ranges, and erased there',
  { store: true }, async sitting => {
    const { candidate, proctor, demo, info, store } = sitting
    await sitting.reachExam()
    await until('a part is in the store while the exam goes on', () => webcams(store).length > 0, CARRIED_MS)
    await incident(sitting)
    const killed = Date.now()
    await demo.kill()
    await demo.restart()
    await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
    await until('the second recording is long enough', async () => await seconds(proctor) > RECORDED_S, 60_000)
    const answers = await candidate.answerAll({ to: 2, right: 2 })
    await candidate.allSaved()
    await sitting.dismissOpenIncident()
    await candidate.handIn()
    await candidate.end()
    assert.deepEqual(await sitting.sealedAnswers(), answers)

    await until('nothing stays on this disk', () => local(demo).length === 0, CARRIED_MS)
    for (const name of store.objects()) assert(!store.bytes(name).includes(PLAIN), name)
    const names = await sitting.sealedEvidence()
    for (const name of ['webcam-0001.webm', 'stills-0001', 'face-1', 'clip-0001.webm']) assert(names.includes(name), `${name} in ${names}`)
    await plays(sitting, killed)

    // It checks who asks.
    await assert.rejects(store.asks('lsf', ':s3:exams', '--s3-secret-access-key', 'guessed'), /SignatureDoesNotMatch/)

    await demo.restoreErased([info.session])
    await until('no object is left', () => store.objects().length === 0, CARRIED_MS)
    const gone = await (await sitting.centre()).get(`/api/v1/centre/sessions/${info.session}/evidence/webcam-0001.webm`).catch(error => error.message)
    assert.match(gone, /410/)
  })
