// One whole exam day of a centre, from an installation in which nobody and nothing is, to the auditor's last look: each
// person in their own window, in Kazakh or Russian, by what the pages offer and nothing else.
import { launch } from '../support/chromium.mjs'
import * as after from './day/after.mjs'
import * as day from './day/exam.mjs'
import * as office from './day/office.mjs'
import { exam } from './sitting.mjs'

const PATIENCE_MS = 600_000

exam('a centre holds an exam day by itself, from an empty installation to the auditor', { empty: true, patienceMs: PATIENCE_MS }, async sitting => {
  const browser = await launch({ devices: false })
  await sitting.seat(Promise.resolve({ close: () => browser.close() }))
  const step = async (name, work) => {
    const began = Date.now()
    const done = await work
    if (process.env.SYNAQ_STEPS) console.log(`${name}: ${((Date.now() - began) / 1_000).toFixed(1)} s`)
    return done
  }

  const head = await step('the head arrives', office.headArrives(sitting, browser))
  await step('profile', office.profile(head))
  const seats = await step('staff', office.invites(sitting, head, browser))
  await step('programme', office.programme(seats.author))
  const { id, links } = await step('sitting', office.arranged(sitting, head))

  const candidate = await step('trial run', day.trial(sitting, links[0]))
  const { proctor, second } = await step('duty', day.onDuty(sitting, seats, browser))
  const virtuals = await step('everybody comes in', day.comeIn(sitting, candidate, proctor, links))
  await step('moved', day.moved(sitting, head, candidate, id))
  await step('begin', day.begins(head, candidate, proctor, virtuals))
  await step('alerts', day.alerts(sitting, proctor, virtuals))
  await step('break', day.pauseForOne(candidate, proctor))
  await step('fire alarm', day.fire(candidate, second, virtuals))
  await step('second violation', day.secondViolation(proctor, virtuals))
  await step('the end', day.finish(candidate, virtuals))

  await step('results', after.results(sitting, head))
  await step('approval', after.approval(sitting, seats.commission))
  await step('own log', after.takenHome(sitting, candidate, head))
  await step('a new attempt', after.again(sitting, head, id))
  await step('audit', after.audit(sitting, seats.auditor))
  await step('somebody leaves', after.leaves(sitting, head, second, browser))
})
