// What the candidate's browser costs an old laptop: its processor time while the page waits without camera, while it
// publishes camera and microphone before the exam, and while it publishes and an exam is answered. Prints JSON.
import { setTimeout as pause } from 'node:timers/promises'
import { Sitting } from '../sitting.mjs'
import { Candidate } from '../seat/candidate.mjs'
import { Proctor } from '../seat/proctor.mjs'
import { behind } from '../../support/staff.mjs'
import { cpuByKind, print } from './figures.mjs'

const WINDOW_S = Number(process.env.WINDOW_S ?? 30)
const ROUNDS = Number(process.env.ROUNDS ?? 3)
/** A person who reads quickly; forty questions in seven minutes. */
const EACH_ANSWER_MS = 10_000
/** Encoders begin slowly and settle. */
const SETTLE_MS = 10_000

/** By it the browser is found among the processes. */
const MARK = `--synaq-seat=${process.pid}`

const rounds = []
for (let round = 0; round < ROUNDS; round++) rounds.push(await once())
print({
  what: 'processor time of the candidate\u2019s whole browser, in cores',
  window_s: WINDOW_S,
  rounds: ROUNDS,
  without_camera: median(rounds.map(round => round.idle)),
  publishing_before_the_exam: median(rounds.map(round => round.before)),
  publishing_and_answering: median(rounds.map(round => round.exam)),
})

/** An exam of its own: what each of the three moments costs, by kind of process. */
async function once() {
  const sitting = new Sitting({ seats: false })
  try {
    await sitting.start()
    const [link] = sitting.demo.links.candidate_links
    const { candidate: id } = await behind(link)
    const candidate = await sitting.seat(Candidate.open(link, { flags: [MARK] }))
    await candidate.bind()
    const idle = await used()
    await candidate.chooseLanguage()
    await candidate.consent()
    await candidate.checkDevice()
    await candidate.sendPhotos()
    const proctor = await sitting.seat(Proctor.open(sitting.demo))
    await proctor.openPanel(id)
    await proctor.admit()
    await candidate.readTexts()
    await pause(SETTLE_MS)
    const before = await used()
    await candidate.begin()
    const exam = await used(() => answering(candidate))
    return { idle, before, exam }
  } finally {
    await sitting.stop()
  }
}

async function answering(candidate) {
  for (let question = 0; question < WINDOW_S * 1_000 / EACH_ANSWER_MS; question++) {
    await candidate.goTo(question)
    await candidate.page.locator('[data-testid=question] [data-testid^=option-]').first().click()
    await pause(EACH_ANSWER_MS)
  }
}

/** Cores by kind of process over the window, and over all. */
async function used(meanwhile = () => pause(WINDOW_S * 1_000)) {
  const [start, began] = [cpuByKind(MARK), performance.now()]
  await meanwhile()
  const seconds = (performance.now() - began) / 1_000
  const cores = Object.entries(cpuByKind(MARK)).map(([kind, until]) => [kind, (until - (start[kind] ?? 0)) / seconds])
  return { ...Object.fromEntries(cores), whole: cores.reduce((sum, [, each]) => sum + each, 0) }
}

/** Of each kind by itself. */
function median(series) {
  const kinds = Object.keys(series[0])
  return Object.fromEntries(kinds.map(kind => {
    const sorted = series.map(one => one[kind] ?? 0).sort((a, b) => a - b)
    return [kind, Math.round(sorted[Math.floor(sorted.length / 2)] * 1_000) / 1_000]
  }))
}
