// How long the candidate's page keeps a person waiting, on a slow machine: a real exam with camera and microphone
// publishing, the page's processor slowed down, every answer given by the mouse. Prints JSON.
import { Sitting } from '../sitting.mjs'
import { figures, print } from './figures.mjs'

const SLOWER = Number(process.env.SLOWER ?? 6)
const ROUNDS = Number(process.env.ROUNDS ?? 3)
/** The paper of the demo. */
const QUESTIONS = 40
/** Event Timing tells of no shorter one. */
const SHORTEST_TOLD_MS = 16

const sitting = new Sitting()
try {
  await sitting.start()
  await sitting.reachExam()
  await sitting.proctor.seesAndHears()
  const { page } = sitting.candidate
  await page.evaluate(watch, SHORTEST_TOLD_MS)
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
  for (let round = 0; round < ROUNDS; round++) {
    for (let question = 0; question < QUESTIONS; question++) {
      await sitting.candidate.goTo(question)
      const options = page.locator('[data-testid=question] [data-testid^=option-]')
      await options.nth(round % await options.count()).click()
    }
  }
  await protocol.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  await sitting.candidate.allSaved()
  const { delays, durations, interactions, kinds } = await page.evaluate(() => globalThis.measured())
  // What was too short to be told counts as just too short.
  const untold = Array.from({ length: interactions - durations.length }, () => SHORTEST_TOLD_MS)
  print({
    what: 'input on the candidate\u2019s page while answering and publishing',
    slower: SLOWER,
    clicks: interactions,
    input_delay_ms: figures(delays),
    to_next_paint_ms: figures([...durations, ...untold]),
    events: kinds,
  })
} finally {
  await sitting.stop()
}

/** Runs in the page: from an event's own time to the first listener, and to the next paint where Event Timing tells. */
function watch(shortest) {
  const delays = []
  const kinds = {}
  let interactions = 0
  for (const kind of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click']) {
    addEventListener(kind, event => {
      if (!event.isTrusted) return
      delays.push(performance.now() - event.timeStamp)
      kinds[kind] = (kinds[kind] ?? 0) + 1
      if (kind === 'pointerdown') interactions += 1
    }, { capture: true, passive: true })
  }
  const longest = new Map()
  const note = list => {
    for (const { interactionId, duration } of list) {
      if (interactionId) longest.set(interactionId, Math.max(longest.get(interactionId) ?? 0, duration))
    }
  }
  const observer = new PerformanceObserver(list => note(list.getEntries()))
  observer.observe({ type: 'event', durationThreshold: shortest })
  globalThis.measured = () => {
    note(observer.takeRecords())
    return { delays, kinds, interactions, durations: [...longest.values()] }
  }
}
