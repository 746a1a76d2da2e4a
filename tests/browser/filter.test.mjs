// Whom the wall shows: found by a name or by how far somebody is, and no alert is lost behind it.
import assert from 'node:assert/strict'
import { until } from '../support/demo.mjs'
import { look } from './look.mjs'
import { Candidate } from './seat/candidate.mjs'
import { exam } from './sitting.mjs'

for (const lang of ['kk', 'ru']) {
  exam(`the wall is searched by name and by stage in ${lang}, and the queue keeps everybody`, { lang }, async sitting => {
    const { proctor, candidate, demo, info } = sitting
    const keys = proctor.page.keyboard
    const tiles = proctor.at('tile')
    const all = await tiles.count()
    const hidden = async () => await proctor.at('hidden').count() > 0 ? Number(await proctor.at('hidden').getAttribute('data-hidden')) : 0
    await candidate.prepare()
    const waits = proctor.page.locator(`[data-testid=queue-item][data-session="${info.session}"]`)
    await waits.waitFor()

    await keys.press('f')
    await keys.type('zzz')
    await proctor.at('wall-filtered').waitFor()
    assert.equal(await hidden(), all)
    assert.equal(await waits.count(), 1, 'who waits is in the queue, whoever is looked for')
    await look(proctor.page, 'proctor/wall-none-found')
    await keys.press('Escape')
    await until('everybody is back', async () => await tiles.count() === all)

    // The beginning of a name, and Enter opens whoever is found.
    await keys.press('f')
    await keys.type(info.candidate.split(' ')[0].slice(0, 4).toLocaleLowerCase())
    await until('few are left', async () => await tiles.count() < all && await tiles.count() > 0)
    await keys.press('Enter')
    await proctor.at('panel').getByRole('heading', { name: await tiles.first().locator('.name').innerText() }).waitFor()
    await keys.press('Escape')
    await proctor.at('panel').waitFor({ state: 'detached' })
    await proctor.at('show-all').click()
    await until('everybody is shown', async () => await tiles.count() === all)

    await proctor.at('group').selectOption('absent')
    await until('those who have not come', async () => await tiles.count() === all - 1)
    await proctor.at('group').selectOption('preparing')
    await until('the one who prepares', async () => await tiles.count() === 1)
    await look(proctor.page, 'proctor/wall-found')
    // Somebody who comes in joins them by themselves.
    const second = await sitting.seat(Candidate.open(demo.links.candidate_links[1], { lang }))
    await second.bind()
    await until('two prepare', async () => await tiles.count() === 2)
    await proctor.at('group').selectOption('')
    await until('all again', async () => await tiles.count() === all)
    assert.equal(await hidden(), 0)

    // By keyboard alone: arrows go from place to place, Enter opens, Escape comes back to the same place.
    const places = await tiles.evaluateAll(list => list.map(tile => tile.dataset.session))
    const stands = place => until(`the focus is on place ${place}`, () => proctor.page.evaluate(
      session => document.activeElement?.dataset.testid === 'tile' && document.activeElement.dataset.session === session, places.at(place)))
    await tiles.first().focus()
    await keys.press('End')
    await stands(-1)
    await keys.press('Home')
    await keys.press('ArrowRight')
    await stands(1)
    await keys.press('Enter')
    await proctor.page.locator(`[data-testid=panel][data-session="${places[1]}"]`).waitFor()
    await keys.press('Escape')
    await stands(1)
  })
}
