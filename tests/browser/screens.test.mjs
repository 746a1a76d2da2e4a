// The table of screens is whole: no page and no dialog of the apps is without a screen in it.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SCREENS } from './screens.mjs'

const APPS = new URL('../../exam-client/', import.meta.url).pathname
/** What makes a component a page or a dialog of its own. */
const HEAD = /<(?:h1|Title|Dialog|Frame|ReasonDialog)[\s>]/
/** What pages and dialogs are made of. */
const FRAMES = ['shared/components/Dialog', 'proctor/dialogs/Frame', 'centre/parts/ReasonDialog', 'centre/parts/Title']

const fileOf = component => join(APPS, component.replace('/', '/src/') + '.svelte')

function components() {
  const of = app => readdirSync(join(APPS, app, 'src'), { recursive: true }).filter(file => file.endsWith('.svelte'))
    .map(file => `${app}/${file.replace('.svelte', '')}`)
  return ['candidate', 'proctor', 'centre', 'shared'].flatMap(of)
}

test('every page and dialog of the apps is on a screen that is pictured', () => {
  const pictured = SCREENS.flatMap(({ components }) => components)
  const heads = components().filter(component => !FRAMES.includes(component) && HEAD.test(readFileSync(fileOf(component), 'utf8')))
  assert(heads.length > 50, `${heads.length} components with a head`)
  assert.deepEqual(heads.filter(component => !pictured.includes(component)), [], 'not in screens.mjs')
})

test('the table names nothing that is gone, and nothing twice', () => {
  for (const { seat, screen, by, components } of SCREENS) {
    assert(existsSync(new URL(`${by}.test.mjs`, import.meta.url)), `${seat}/${screen}: ${by}.test.mjs`)
    for (const component of components) assert(existsSync(fileOf(component)), `${seat}/${screen}: ${component}`)
  }
  const pictured = SCREENS.flatMap(({ components }) => components)
  assert.deepEqual(pictured.filter((component, index) => pictured.indexOf(component) !== index), [])
})
