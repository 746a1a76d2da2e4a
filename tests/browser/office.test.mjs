// The centre's own house: people, what the centre says of itself, who did what, one's own account; a forgotten password.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, openWindow } from '../support/chromium.mjs'
import { until } from '../support/demo.mjs'
import { look, lookInBoth } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

const PASSWORD = 'дұрыс ат батарея қапсырма'
const STEP_MS = 30_000

/** RFC 6238 over the base32 secret, as an app on a telephone does. */
function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, '')].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)))
  const mac = createHmac('sha1', key).update(counter).digest()
  const offset = mac[19] & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Set-up links in the letters to `address`, oldest first. */
function links(demo, address) {
  const folder = demo.links.mail_folder
  const letters = readdirSync(folder).filter(name => name.endsWith('.eml')).sort().map(name => readFileSync(join(folder, name), 'utf8'))
  return letters.filter(text => text.includes(`To: ${address}`)).map(text => /https?:\/\/\S+\/centre\/setup\/\S+/.exec(text)?.[0]).filter(Boolean)
}

const letter = (demo, address, number) => until(`letter ${number} to ${address}`, () => links(demo, address)[number - 1])

async function invite(centre, demo, { login, name, roles }) {
  const mail = `${login}@example.kz`
  await centre.go('staff')
  await centre.at('invite').click()
  for (const [id, text] of [['member-login', login], ['member-name', name], ['member-mail', mail]]) await centre.at(id).fill(text)
  for (const role of roles) await centre.at(`role-${role}`).check()
  await centre.at('member-submit').click()
  await centre.at('link-made').waitFor()
  return letter(demo, mail, 1)
}

async function setPassword(page, link, password = PASSWORD) {
  await page.goto(link)
  await page.getByTestId('password').fill(password)
  await page.getByTestId('password-again').fill(password)
  await page.getByTestId('set-up-submit').click()
  await page.getByTestId('set-up-done').waitFor()
}

/** A window of somebody who is not signed in. */
async function window(sitting, lang) {
  const browser = await launch({ devices: false })
  const page = await openWindow(browser, { lang })
  await sitting.seat(Promise.resolve({ page, close: () => browser.close() }))
  return page
}

const member = (centre, login) => centre.page.locator(`[data-testid=member][data-login="${login}"]`)

async function edit(centre, login, change) {
  await member(centre, login).getByTestId('edit').click()
  await centre.at('member-dialog').waitFor()
  await change()
  await centre.at('member-submit').click()
}

exam('people are invited, change their roles, are shut out, and a head remains', { lang: 'kk', seats: false }, async sitting => {
  const { demo } = sitting
  const centre = await sitting.seat(Centre.open(demo, { lang: 'kk' }))
  const link = await invite(centre, demo, { login: 'serik', name: 'Серік Ахметов', roles: ['author'] })
  const page = await window(sitting, 'kk')
  await setPassword(page, link)
  await page.goto(`${demo.links.base_url}/centre/`)
  await page.getByTestId('nav-banks').waitFor()
  assert.equal(await page.getByTestId('nav-staff').count(), 0)

  // Another role ends the sign-in: what comes after is asked for in place.
  await centre.go('staff')
  await edit(centre, 'serik', () => centre.at('role-auditor').check())
  await centre.at('member-dialog').waitFor({ state: 'detached' })
  await page.getByTestId('nav-banks').click()
  await page.getByTestId('again-form').waitFor()
  await page.getByTestId('password').fill(PASSWORD)
  await page.getByTestId('sign-in-submit').click()
  await page.getByTestId('nav-log').waitFor()

  await edit(centre, 'serik', () => centre.at('member-disabled').check())
  await centre.page.locator('[data-testid=member][data-login=serik][data-state=disabled]').waitFor()
  await page.goto(`${demo.links.base_url}/centre/`)
  await page.getByTestId('sign-in').waitFor()
  await page.getByTestId('login').fill('serik')
  await page.getByTestId('password').fill(PASSWORD)
  await page.getByTestId('sign-in-submit').click()
  await page.locator('[data-code=credentials_wrong]').waitFor()

  // The only head can neither leave the role nor be shut out.
  const head = demo.links.centre.login
  await edit(centre, head, () => centre.at('member-disabled').check())
  await centre.page.locator('[data-code=last_head]').waitFor()
  await lookInBoth(centre.page, 'centre/last-head')
  await centre.page.keyboard.press('Escape')
  await look(centre.page, 'centre/staff', 'disabled')

  await centre.go('log')
  await centre.page.locator('[data-testid=log-line][data-action=roles_changed]').waitFor()
  await centre.page.locator('[data-testid=log-line][data-action=staff_disabled]').waitFor()
})

exam('a forgotten password is made anew by letter, once', { lang: 'ru', seats: false }, async sitting => {
  const { demo } = sitting
  const centre = await sitting.seat(Centre.open(demo, { lang: 'ru' }))
  const page = await window(sitting, 'ru')
  await setPassword(page, await invite(centre, demo, { login: 'aigul', name: 'Айгүл Серікова', roles: ['auditor'] }))
  await page.context().clearCookies()
  await page.goto(`${demo.links.base_url}/centre/`)
  await page.getByTestId('login').fill('aigul')
  await page.getByTestId('forgot').click()
  assert.equal(await page.getByTestId('forgot-login').inputValue(), 'aigul')
  await lookInBoth(page, 'staff/forgot')
  await page.getByTestId('forgot-submit').click()
  await page.getByTestId('forgot-asked').waitFor()
  await lookInBoth(page, 'staff/forgot-asked')
  const link = await letter(demo, 'aigul@example.kz', 2)
  await setPassword(page, link, `${PASSWORD} 2`)
  await page.goto(link)
  await page.getByTestId('password').fill(`${PASSWORD} 3`)
  await page.getByTestId('password-again').fill(`${PASSWORD} 3`)
  await page.getByTestId('set-up-submit').click()
  await page.locator('[data-code=setup_link_invalid]').waitFor()

  // Whoever is not here gets the same answer.
  await page.context().clearCookies()
  await page.goto(`${demo.links.base_url}/centre/`)
  await page.getByTestId('forgot').click()
  await page.getByTestId('forgot-login').fill('nobody-here')
  await page.getByTestId('forgot-submit').click()
  await page.getByTestId('forgot-asked').waitFor()
})

exam('a second factor is asked for once it is set up, and an auditor sees everything and changes nothing', { lang: 'ru', seats: false }, async sitting => {
  const { demo } = sitting
  const centre = await sitting.seat(Centre.open(demo, { lang: 'ru' }))
  const page = await window(sitting, 'ru')
  const at = id => page.getByTestId(id)
  const link = await invite(centre, demo, { login: 'dana', name: 'Дана Оспанова', roles: ['auditor'] })
  await setPassword(page, link)
  const open = async path => {
    await page.goto(`${demo.links.base_url}/centre/${path}`)
    await page.locator('main h1').first().waitFor()
    await at('loading').first().waitFor({ state: 'detached' })
  }
  await open('account')
  await at('factor-begin').click()
  const secret = await at('factor-secret').textContent()
  await at('factor-code').fill('000000')
  await at('factor-confirm').click()
  await page.locator('[data-code=second_factor_wrong]').waitFor()
  await at('factor-code').fill(totp(secret))
  await at('factor-confirm').click()
  await at('recovery-codes').waitFor()
  const [recovery] = await at('recovery-codes').locator('code').allTextContents()
  await lookInBoth(page, 'centre/factor-codes')

  await at('sign-out').click()
  await at('sign-in').waitFor()
  await at('login').fill('dana')
  await at('password').fill(PASSWORD)
  await at('sign-in-submit').click()
  await at('code').waitFor()
  await lookInBoth(page, 'staff/sign-in-code')
  await at('code').fill(recovery)
  await at('sign-in-submit').click()
  await at('nav-log').waitFor()

  // Every page of the auditor, and no control that changes anything.
  for (const [path, controls] of Object.entries({
    staff: ['invite', 'edit', 'send-link', 'factor-rule'], profile: ['profile-submit'], sittings: ['new-sitting'], banks: ['import-bank'], programmes: ['import-programme', 'compose-programme'],
  })) {
    await open(path)
    for (const control of controls) assert.equal(await at(control).count(), 0, `${path}: ${control}`)
  }
  await lookInBoth(page, 'auditor/programmes')
  await open('sittings')
  await at('row').first().getByRole('link').first().click()
  await at('clock').waitFor()
  for (const control of ['change-sitting', 'add-one', 'change-candidate', 'link', 'letters']) assert.equal(await at(control).count(), 0, control)
  await at('clock').locator('summary').click()
  await page.locator('[data-testid=clock-mark][data-source=start]').first().waitFor()
  await lookInBoth(page, 'auditor/clock')
  const [download] = await Promise.all([page.waitForEvent('download'), at('clock-download').click()])
  const evidence = JSON.parse(readFileSync(await download.path(), 'utf8'))
  assert(evidence.marks.some(mark => mark.source === 'start' && Math.abs(mark.ahead_ms) < 60_000), JSON.stringify(evidence).slice(0, 300))

  await open('log')
  assert.equal(await at('keys').first().count(), 1)
  await at('log-group').selectOption('staff')
  await at('log-show').click()
  await page.locator('[data-testid=log-line][data-action=second_factor_set]').first().waitFor()
  await look(page, 'auditor/log', 'staff')

  // Taken off again, with another recovery code: each is good once.
  await open('account')
  await at('factor-code').fill(recovery)
  await at('factor-remove').click()
  await page.locator('[data-code=second_factor_wrong]').waitFor()
  await at('factor-code').fill(totp(secret, Date.now() + STEP_MS))
  await at('factor-remove').click()
  await page.locator('[data-testid=second-factor][data-confirmed=false]').waitFor()
})
