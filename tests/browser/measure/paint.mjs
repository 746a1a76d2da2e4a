// How soon a candidate sees something of use on a slow line and a slow machine. Useful is the link's page itself: whose
// exam it is, which, and the button that begins. Every round is a first visit: nothing kept, nothing cached. Prints JSON.
import { launch, openWindow } from '../../support/chromium.mjs'
import { Demo } from '../../support/demo.mjs'
import { figures, print } from './figures.mjs'

const ROUNDS = Number(process.env.ROUNDS ?? 9)
const SLOWER = Number(process.env.SLOWER ?? 6)
const BITS = Number(process.env.BITS ?? 1_600_000)
/** There and back. */
const LATENCIES_MS = (process.env.LATENCIES_MS ?? '0,40,150').split(',').map(Number)

const demo = await Demo.start({})
const browser = await launch({ devices: false })
try {
  const [link] = demo.links.candidate_links
  for (const latency of LATENCIES_MS) {
    const seen = []
    for (let round = 0; round < ROUNDS; round++) seen.push(await visit(link, latency))
    const of = what => figures(seen.map(round => round[what]))
    print({
      what: 'first visit of the candidate\u2019s link',
      slower: SLOWER, bits_per_s: BITS, latency_ms: latency,
      first_contentful_paint_ms: of('contentful'),
      first_useful_paint_ms: of('useful'),
      bytes_before_it: of('bytes'),
    })
  }
} finally {
  await browser.close()
  await demo.stop()
}

async function visit(link, latency) {
  const page = await openWindow(browser, { lang: 'kk' })
  try {
    await page.addInitScript(watch)
    const protocol = await page.context().newCDPSession(page)
    await protocol.send('Network.enable')
    await protocol.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: BITS / 8, uploadThroughput: BITS / 8 })
    await protocol.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
    let bytes = 0
    protocol.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength })
    await page.goto(link)
    await page.waitForFunction(() => globalThis.usefulAt !== undefined, undefined, { timeout: 60_000 })
    const { useful, contentful } = await page.evaluate(() => ({
      useful: globalThis.usefulAt,
      contentful: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    }))
    return { useful, contentful, bytes }
  } finally {
    await page.context().close()
  }
}

/** Runs in the page: when the button stands there, and was painted: the first frame lays out, the next comes after it. */
function watch() {
  const look = () => {
    if (!document.querySelector('[data-testid=begin-device]')) return
    watcher.disconnect()
    requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.usefulAt = performance.now() }))
  }
  const watcher = new MutationObserver(look)
  watcher.observe(document, { subtree: true, childList: true })
}
