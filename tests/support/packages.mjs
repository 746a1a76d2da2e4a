// Packages of the tests are installed in tests/browser; whoever lies beside it asks here.
import { createRequire } from 'node:module'

export const packages = createRequire(new URL('../browser/package.json', import.meta.url))
