// After the tests: whether every screen has its pictures. `node pictures.mjs FOLDER [TEST...]`: of all screens, or only of
// those that these test files picture.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LANGS, SCREENS, SIZES, pictureOf } from './screens.mjs'

const [folder, ...tests] = process.argv.slice(2)
if (!folder) throw new Error('usage: node pictures.mjs FOLDER [TEST...]')

const screens = SCREENS.filter(({ by }) => tests.length === 0 || tests.includes(by))
const wanted = screens.flatMap(screen => LANGS.flatMap(lang => Object.keys(SIZES).map(size => ({ screen, file: pictureOf(screen, { lang, size }) }))))
const missing = wanted.filter(({ file }) => !existsSync(join(folder, file)))
for (const { screen, file } of missing) console.log(`no picture ${file}: ${screen.by}.test.mjs`)
console.log(`${screens.length} screens, ${wanted.length - missing.length} of ${wanted.length} pictures in ${folder}`)
if (wanted.length === 0 || missing.length > 0) process.exitCode = 1
