// After the exam: results, approvals, what the candidate takes home, and what an auditor finds.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { until } from '../../support/demo.mjs'
import { look, lookInBoth } from '../look.mjs'
import { Centre } from '../seat/centre.mjs'
import { RIGHT } from './exam.mjs'
import { QUESTIONS, field, HOUR_MS } from './office.mjs'
import { CANDIDATES, CENTRE, PASSWORD, STAFF } from './people.mjs'

const PATIENCE_MS = 60_000
const PASSED = 1 + RIGHT.filter(right => right > 7).length

const saved = async (page, press) => {
  const [download] = await Promise.all([page.waitForEvent('download'), press()])
  return readFileSync(await download.path())
}

/** The table, its plot and the file made of it agree with what was answered; everything is at the platform. */
export async function results(sitting, head) {
  await until('every record is sealed and at the platform', async () =>
    (await sitting.demo.held()).filter(({ kind }) => kind === 'record').length === CANDIDATES.length, 2 * PATIENCE_MS)
  await head.visit('overview')
  await head.visit('results')
  const rows = head.at('results').getByTestId('row')
  assert.equal(await rows.count(), CANDIDATES.length)
  const of = index => rows.filter({ hasText: CANDIDATES[index].name })
  assert.match(await of(0).innerText(), new RegExp(`${QUESTIONS - 1}/${QUESTIONS}`))
  for (const [index, right] of RIGHT.entries()) {
    if (index !== 1) assert.match(await of(index + 1).innerText(), new RegExp(`${right}/${QUESTIONS}`))
  }
  await look(head.page, 'centre/results', 'day')
  const csv = (await saved(head.page, () => head.at('export').click())).toString()
  const lines = csv.trim().split(/\r?\n/)
  assert.equal(lines.length, CANDIDATES.length + 1)
  assert(lines.some(line => line.includes(CANDIDATES[0].name)), csv)
  assert(lines.every(line => !/(^|[;,"])[=+@]/.test(line)), 'no cell is a formula')
  return PASSED
}

/** A member of the commission reads a record and approves it; the one that ended by a violation too. */
export async function approval(sitting, commission) {
  await commission.at('set-up-done').getByRole('link').first().click()
  await commission.at('commission-overview').waitFor()
  await look(commission.page, 'commission/overview', 'day')
  for (const who of [0, 2]) {
    await commission.openRecord(CANDIDATES[who].name)
    if (who === 2) await lookInBoth(commission.page, 'commission/record-violation')
    await commission.approve('')
  }
  await until('the approvals are at the platform', async () =>
    (await sitting.demo.held()).filter(({ kind }) => kind === 'approval').length === 2, PATIENCE_MS)
}

/** The candidate's own log, and receipts that a stranger holds against the bundle. */
export async function takenHome(sitting, candidate, head) {
  await candidate.at('own-log-open').click()
  await candidate.at('own-log-number').waitFor()
  const until_ = await until('the last day of an appeal', () => candidate.at('own-appeal').getAttribute('data-until'))
  assert(until_ > new Date().toISOString().slice(0, 10), until_)
  for (const kind of ['break_granted', 'paused', 'resumed', 'closed']) {
    await candidate.page.locator(`[data-testid=own-line][data-kind=${kind}]`).first().waitFor({ state: 'attached' })
  }
  await look(candidate.page, 'candidate/own-log', 'day')
  const receipts = await saved(candidate.page, () => candidate.at('own-receipts-download').click())
  await head.visit('results')
  await head.at('results').getByRole('link', { name: CANDIDATES[0].name }).click()
  await head.at('result').waitFor()
  const said = await sitting.demo.verify(await head.download(), ['--receipts', sitting.demo.file('receipts.json', receipts)])
  assert(said.passed && /receipts: \d+ of \d+/.test(said.said), said.said)
  await look(head.page, 'centre/result', 'day')
}

/** An attempt that went wrong for technical reasons does not count; a new one in another sitting has a link of its own. */
export async function again(sitting, head, id) {
  await head.visit('sittings')
  await head.at('new-sitting').click()
  await head.at('title').fill('Кондитер, қайталау')
  await head.at('programme').selectOption({ index: 1 })
  await head.type({ opens: field(Date.now() + 48 * HOUR_MS), closes: field(Date.now() + 52 * HOUR_MS) })
  await head.at('submit').click()
  await head.at('add-candidates').waitFor()
  const next = new URL(head.page.url()).pathname.split('/').at(-1)
  await head.go(`sittings/${id}`)
  const row = head.at('candidate').filter({ hasText: CANDIDATES.at(-1).name })
  await row.getByTestId('void').click()
  await head.at('void-dialog').waitFor()
  await head.at('void-sitting').selectOption(next)
  await head.at('reason').fill('Компьютер өшіп қалды')
  await lookInBoth(head.page, 'centre/void')
  await head.at('dialog-submit').click()
  await row.getByTestId('voided').waitFor()
  await head.go(`sittings/${next}`)
  await head.at('candidate').filter({ hasText: CANDIDATES.at(-1).name }).getByTestId('link').waitFor()
}

/** Sees everything, changes nothing, and finds who did what. */
export async function audit(sitting, auditor) {
  await auditor.at('set-up-done').getByRole('link').first().click()
  await auditor.at('seat-overview').waitFor()
  await look(auditor.page, 'auditor/overview', 'day')
  await auditor.visit('staff')
  await auditor.page.locator(`[data-testid=member][data-login=${CENTRE.login}]`).waitFor()
  assert.equal(await auditor.at('invite').count() + await auditor.at('edit').count(), 0)
  await auditor.visit('sittings')
  await auditor.at('row').first().waitFor()
  await auditor.at('row').last().getByRole('link').first().click()
  await auditor.at('candidates').waitFor()
  for (const id of ['link', 'change-sitting', 'change-candidate', 'add-one', 'letters']) assert.equal(await auditor.at(id).count(), 0, id)
  await auditor.visit('log')
  const line = (action, name) => auditor.page.locator(`[data-testid=log-line][data-action=${action}]`).filter({ hasText: name })
  await auditor.at('log-group').selectOption('exams')
  await auditor.at('log-show').click()
  await line('record_approved', STAFF.commission.name).first().waitFor()
  await line('bank_imported', STAFF.author.name).first().waitFor()
  await line('candidates_added', CENTRE.name).first().waitFor()
  await lookInBoth(auditor.page, 'auditor/log-exams')
  await auditor.at('log-group').selectOption('staff')
  await auditor.at('log-show').click()
  await until('who invited whom', async () => await line('staff_added', `${CENTRE.name} –`).count() === Object.keys(STAFF).length)
  const keys = JSON.parse(await saved(auditor.page, () => auditor.at('keys').click()))
  assert(keys.keys.length > 0)
  const refused = await auditor.page.request.post(`${auditor.base}/api/v1/centre/sittings`, { headers: { Origin: auditor.base }, data: {} })
  assert.equal((await refused.json()).code, 'role_missing')
}

/** Somebody who has left: the head disables them, their window is signed out, their password opens nothing. */
export async function leaves(sitting, head, second, browser) {
  await head.visit('staff')
  const member = head.page.locator(`[data-testid=member][data-login=${STAFF.second.login}]`)
  await member.getByTestId('edit').click()
  await head.at('member-disabled').check()
  await head.at('member-submit').click()
  await head.page.locator(`[data-testid=member][data-login=${STAFF.second.login}][data-state=disabled]`).waitFor()
  await second.page.reload()
  await second.at('sign-in').waitFor()
  await second.at('login').fill(STAFF.second.login)
  await second.at('password').fill(PASSWORD)
  await second.at('sign-in-submit').click()
  await second.at('sign-in-fault').waitFor()
}
