// What a centre changes by itself: a sitting is moved and a candidate who waits sees it, names are put right, a
// programme is made from a GIFT file on the page, in kk and ru, wide and narrow.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look } from './look.mjs'
import { Centre } from './seat/centre.mjs'
import { exam } from './sitting.mjs'

const HOUR_MS = 3_600_000
const ALMATY_MS = 5 * HOUR_MS
const field = at => new Date(at + ALMATY_MS).toISOString().slice(0, 16)

const gift = (lang, right, wrong) => ['one', 'two', 'three']
  .map(name => `::${name}::${lang} ${name}? {=${right} ${name} ~${wrong} ${name}}\n`).join('\n') + `\n::essay::${lang} {}\n`

/** A topic that is not there, no right option, an option without its second language. */
const BANK_WITH_SLIPS = `[bank]
id = "slips"
version = 1
profession_code = "7512"
languages = ["kk", "ru"]
title.kk = "Сұрақтар"
title.ru = "Вопросы"
[[topic]]
id = "hygiene"
title.kk = "Гигиена"
title.ru = "Гигиена"
[[question]]
id = "one"
version = 1
topic = "nowhere"
kind = "single"
difficulty = 9
text.kk = "Сұрақ?"
text.ru = "Вопрос?"
[[question.option]]
id = "a"
text.kk = "Иә"
text.ru = "Да"
[[question.option]]
id = "b"
text.kk = "Жоқ"
text.ru = ""
`

for (const lang of ['kk', 'ru']) {
  exam(`a centre arranges a sitting by itself in ${lang}`, { lang, seats: false }, async sitting => {
    const centre = await sitting.seat(Centre.open(sitting.demo, { lang }))
    const seen = (screen, as) => look(centre.page, `centre/${screen}`, as)

    await centre.go('banks/gift')
    await centre.at('gift-title-kk').fill('Сұрақтар')
    await centre.at('gift-title-ru').fill('Вопросы')
    await centre.at('gift-slug').fill('gift-bank')
    await centre.at('gift-code').fill('7512')
    const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
    await centre.at('gift-kk').setInputFiles(file('kk.gift', gift('Қазақша сұрақ', 'Дұрыс жауап', 'Қате жауап')))
    await centre.at('gift-ru').setInputFiles(file('ru.gift', gift('Русский вопрос', 'Верный ответ', 'Неверный ответ')))
    await centre.at('gift-check').click()
    await centre.at('gift-found').waitFor()
    await seen('gift')
    await centre.at('gift-take').click()
    await centre.at('imported').waitFor()

    await centre.go('banks/import')
    await centre.at('paste').fill(BANK_WITH_SLIPS)
    await centre.at('submit').click()
    await centre.at('mistakes').waitFor()
    await seen('bank-mistakes')

    await centre.go('programmes/new')
    await centre.at('compose-form').waitFor()
    const typed = { 'title-kk': 'Бағдарлама', 'title-ru': 'Программа', slug: 'gift-programme', 'nco-code': '7512', 'profession-kk': 'Кондитер', 'profession-ru': 'Кондитер', 'basis-kk': 'Стандарт', 'basis-ru': 'Стандарт' }
    for (const [id, text] of Object.entries(typed)) await centre.at(id).fill(text)
    await centre.at('bank').selectOption({ label: await centre.at('bank').locator('option', { hasText: 'gift-bank' }).textContent() })
    await centre.at('blueprint').locator('input').first().fill('3')
    await centre.at('threshold').fill('69')
    await centre.at('submit').click()
    await centre.at('compose-fault').waitFor()
    await seen('compose')
    await centre.at('threshold').fill('75')
    await centre.at('submit').click()
    await centre.at('programme').filter({ hasText: 'gift-programme' }).waitFor()

    await centre.go(`sittings/${sitting.info.sitting ?? (await firstSitting(centre))}`)
    await centre.at('candidate').first().waitFor()
    await seen('sitting', 'before')
    await centre.at('change-sitting').click()
    await centre.at('change-dialog').waitFor()
    await centre.at('change-title').fill('Перенесённая сессия')
    await centre.at('change-closes').fill(field(Date.now() + 30 * HOUR_MS))
    await centre.at('change-capacity').fill('200')
    await centre.at('reason').fill('Нет электричества')
    await seen('sitting-change')
    await centre.at('dialog-submit').click()
    await centre.at('told').waitFor()
    await centre.page.locator('h1', { hasText: 'Перенесённая' }).waitFor()

    await centre.at('add-one').click()
    await centre.at('candidate-name').fill('Сәрсенова Әлия')
    await centre.at('candidate-identity').fill('123456789011')
    await centre.at('dialog-submit').click()
    await centre.at('dialog-fault').waitFor()
    assert.equal(await centre.at('candidate-name').inputValue(), 'Сәрсенова Әлия', 'nothing typed is lost')
    await centre.at('candidate-identity').fill('123456789013')
    await centre.at('extra').fill('25')
    await centre.at('unit-pct').check()
    await centre.at('hearing-aid').check()
    await seen('candidate-add')
    await centre.at('dialog-submit').click()
    const late = centre.at('candidate').filter({ hasText: 'Сәрсенова' })
    await late.waitFor()

    await late.getByTestId('change-candidate').click()
    await centre.at('candidate-dialog').waitFor()
    await centre.at('candidate-name').fill('Сарсенова Әлия')
    await centre.at('reason').fill('По документу')
    await seen('candidate')
    await centre.at('dialog-submit').click()
    await centre.at('candidate').filter({ hasText: 'Сарсенова' }).waitFor()

    const withdrawn = centre.at('candidate').filter({ hasText: 'Сарсенова' })
    await withdrawn.getByTestId('withdraw').click()
    await centre.at('reason').fill('Болезнь')
    await seen('withdraw')
    await centre.at('dialog-submit').click()
    await withdrawn.getByTestId('withdrawn').waitFor()
    await until('the changes are listed', async () => (await centre.at('change').count()) > 0 || (await centre.at('changes').locator('summary').click().then(() => false)))
    await seen('changes')

    await centre.at('cancel-sitting').click()
    await centre.at('cancel-dialog').waitFor()
    await centre.at('reason').fill('Өрт дабылы: ғимарат жабық. Пожарная тревога: здание закрыто.')
    await seen('sitting-cancel')
    await centre.at('dialog-submit').click()
    await centre.at('cancelled').waitFor()
    await seen('sitting-cancelled')
  })
}

async function firstSitting(centre) {
  const response = await centre.page.request.get(`${centre.base}/api/v1/centre/sittings`)
  return (await response.json()).rows[0].sitting
}
