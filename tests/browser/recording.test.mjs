// Recordings as the commission sees them: every place in them can be reached, also in one that a killed server left, and
// where nothing was recorded that is said.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BINARY, until } from '../support/demo.mjs'
import { exam } from './sitting.mjs'
import { Centre } from './seat/centre.mjs'
import { Player } from './seat/player.mjs'

/** Longer than the five seconds between key frames, so that there is a place to seek to. */
const RECORDED_S = 8
/** Longer than between two of them, however busy the machine. */
const KEY_EVERY_MS = 8_000

/** Seconds that the candidate's picture has run at the proctor's. */
const seconds = async proctor => (await proctor.seesAndHears()).time

exam('recordings before and after a killed server are one line of time with the gap between them', {}, async sitting => {
  const { candidate, proctor, demo, info } = sitting
  await sitting.reachExam()
  await until('the first recording is long enough', async () => await seconds(proctor) > RECORDED_S, 60_000)
  await demo.kill()
  await candidate.at('offline').waitFor()
  await demo.restart()
  await proctor.at('connection-lost').waitFor({ state: 'detached', timeout: 60_000 })
  await until('the second recording is long enough', async () => await seconds(proctor) > RECORDED_S, 60_000)
  await candidate.handIn()
  await candidate.end()
  await sitting.sealed()
  const staff = await sitting.centre()
  const line = await staff.json(`/api/v1/playback/${info.session}`)
  const [webcam] = line.tracks
  assert.equal(webcam.kind, 'webcam')
  assert(webcam.parts.length >= 2, JSON.stringify(webcam.parts))
  // What the device recorded in between stands there too, and gives way where the server has a picture of its own.
  const longest = webcam.parts.filter(part => part.name.startsWith('webcam-') && part.ms > (RECORDED_S - 3) * 1_000)
  assert(longest.length >= 2, JSON.stringify(webcam.parts))
  const [first, second] = longest
  assert(line.gaps.some(gap => gap.from >= first.at && gap.to <= second.at + 1_000), JSON.stringify(line.gaps))

  const centre = await sitting.seat(Centre.open(demo))
  await centre.go(`results/${info.session}`)
  await centre.at('open-playback').click()
  const player = new Player(centre.page)
  await player.ready()
  for (const part of [second, first]) {
    for (const share of [0.75, 0.25]) await player.shows(part.at + part.ms * share, part)
  }
  const hole = line.gaps.find(gap => gap.from >= first.at && gap.to <= second.at + 1_000)
  await player.seek((hole.from + hole.to) / 2)
  await player.at('playback-gap').waitFor()
  await player.at('playback-skip').click()
  await player.at('playback-gap').waitFor({ state: 'detached' })
  // Across the gap by itself, as fast as it goes.
  await player.seek(first.at + first.ms - 1_500)
  await player.at('playback-rate').selectOption('8')
  await player.at('playback-play').click()
  await until('it plays on in the second recording', async () => await player.time() > second.at + 1_000, 60_000)
  await player.at('playback-play').click()

  // What is played is not what was sealed; that is still there, byte for byte.
  const names = await sitting.sealedEvidence()
  const bundle = await sitting.bundle()
  const held = name => staff.get(`/api/v1/centre/sessions/${info.session}/evidence/${name}`).then(r => r.arrayBuffer())
  const recordings = names.filter(name => name.startsWith('webcam-'))
  assert(recordings.length >= 2)
  for (const name of recordings) {
    const file = join(demo.data, name)
    const bytes = Buffer.from(await held(name))
    writeFileSync(file, bytes)
    const sound = await demo.verify(bundle, undefined, ['--recording', file])
    assert(sound.passed, sound.said)
    bytes[bytes.length >> 1] ^= 1
    writeFileSync(file, bytes)
    const changed = await demo.verify(bundle, undefined, ['--recording', file])
    assert(!changed.passed, changed.said)
    assert.match(changed.said, new RegExp(`FAILED +recording ${name}`))
  }
  // A centre that wants to know how often detectors are wrong on its own recordings gives them as they are.
  const person = join(demo.data, 'clips/nothing/exam/candidate')
  mkdirSync(person, { recursive: true })
  for (const { name } of longest) writeFileSync(join(person, name), Buffer.from(await held(name)))
  const { stdout } = await promisify(execFile)(BINARY, ['detectors', 'evaluate', join(demo.data, 'clips')])
  const looked = Number(/, (\d+) pictures$/m.exec(stdout)?.[1])
  const recorded = longest.reduce((sum, part) => sum + Math.floor(part.ms / KEY_EVERY_MS), 0)
  assert(looked >= recorded, `${looked} of ${recorded} pictures: ${stdout}`)
  assert.match(stdout, /^\| `camera_dark` \| exam \| 12 \| 1 \| \d+ \| 0 \| 0 \| 0 \| 0 \|$/m, 'a lit person is not dark')
})
