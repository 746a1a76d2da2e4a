// The centre's own house, in kk and ru, wide and 320 px: people, profile, log, account, set-up link, the author's and the
// auditor's pages.
import { look } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

for (const lang of ['kk', 'ru']) {
  exam(`screens of the centre's own house in ${lang}`, { lang, seats: false }, async sitting => {
    const { demo } = sitting
    const centre = await sitting.seat(Centre.open(demo, { lang }))
    const seen = screen => look(centre.page, `centre/${screen}`)
    await centre.visit('staff')
    await seen('staff')
    await centre.at('invite').click()
    await centre.type({ 'member-login': 'кирилл', 'member-name': '', 'member-mail': 'пошта' })
    await centre.at('member-submit').click()
    await centre.at('login-error').waitFor()
    await seen('invite')
    await centre.type({ 'member-login': 'a.very-long-login.of-somebody', 'member-name': 'Құдайбергенова-Жұмағұлова Мөлдір Сұлтанбекқызы', 'member-mail': '' })
    await centre.at('role-auditor').check()
    await centre.at('role-commission').check()
    await centre.at('member-submit').click()
    await centre.at('setup-link').waitFor()
    await seen('link-made')
    const link = await centre.at('setup-link').innerText()

    await centre.visit('profile')
    await centre.at('name_kk').fill('«Қазақстан Республикасының кәсіптік біліктілікті тану және сертификаттау орталығы» жауапкершілігі шектеулі серіктестігі')
    await centre.at('profile-mail').fill('пошта')
    await centre.at('profile-submit').click()
    await centre.at('mail-error').waitFor()
    await seen('profile')
    await centre.visit('log')
    await centre.at('log-line').first().waitFor()
    await seen('log')
    await centre.visit('account')
    await seen('account')
    await centre.at('factor-begin').click()
    await centre.at('factor-secret').waitFor()
    await seen('factor')
    await centre.at('factor-code').fill('000000')
    await centre.at('factor-confirm').click()
    await centre.at('factor-fault').waitFor()
    await seen('factor-wrong')

    const newcomer = await sitting.seat(Centre.arrive(demo, link, { lang, browser: centre.browser }))
    await newcomer.setPassword('short', 'other')
    await look(newcomer.page, 'centre/set-up')
    await newcomer.setPassword('бес терезе, үш есік, бір көпір')
    await newcomer.at('set-up-done').waitFor()
    await look(newcomer.page, 'centre/set-up-done')
    await newcomer.page.goto(link)
    await newcomer.setPassword('бес терезе, үш есік, бір көпір')
    await newcomer.at('fault').waitFor()
    await look(newcomer.page, 'centre/set-up-used')
    for (const [role, pages] of [['author', ['', 'banks']], ['auditor', ['', 'staff', 'log', 'sittings']]]) {
      const seat = await sitting.seat(Centre.open(demo, { lang, account: demo.links[role], browser: centre.browser }))
      for (const page of pages) {
        await seat.go(page)
        await look(seat.page, `${role}/${page || 'overview'}`)
      }
    }
  })
}
