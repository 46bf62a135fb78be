import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { eventually } from '../harness/eventually.ts'
import { startIngestStub } from './ingest-stub.ts'
import { packSdk, type PackedSdk } from './package.ts'
import { startPageServer } from './page-server.ts'

/** A feed. Its user sees a pin, clicks, goes to another page and back, and clicks again. The page itself says in events how it came back. */
const feedPage = (ingestUrl: string): string => `<!doctype html><script src="/freshet.js"></script>
<div id="pin" style="height: 100px">a pin</div>
<script>
const client = freshet.createFreshet({ ingestUrl: '${ingestUrl}', flushIntervalMs: 100 })
const item = { pinId: 'seen', feedId: 'f1', position: 0, surface: 'home' }
client.observe(document.getElementById('pin'), item)
const isFirst = !sessionStorage.visits
sessionStorage.visits = 1
addEventListener('pageshow', ({ persisted }) => {
  const [{ notRestoredReasons }] = performance.getEntriesByType('navigation')
  if (!isFirst) void client.click('loaded-again ' + JSON.stringify(notRestoredReasons).replace(/\\s/g, ''))
  if (persisted) {
    void client.click('came-back')
    // Long enough for another impression, if the client forgot the first.
    setTimeout(() => client.click('second-visit'), 1500)
  }
})
if (isFirst) setTimeout(() => {
  void client.click('first-visit')
  location.href = '/other'
}, 1500)
</script>`

const otherPage = `<!doctype html><script>addEventListener('pageshow', () => setTimeout(() => history.back(), 500))</script>`

const path = findChromium()
let sdk: PackedSdk
let browser: Browser | null = null

beforeAll(async () => {
  sdk = await packSdk()
  browser = path === null ? null : await startChromium(path, { backForwardCache: true })
})
afterAll(async () => {
  await browser?.close()
  sdk?.remove()
})

if (path === null)
  describe.skip('a page in the back/forward cache (skipped: there is no Chromium)', () => {
    it.todo('needs Chromium: FRESHET_CHROMIUM or Debian’s chromium')
  })
else
  describe('a page that comes back from the back/forward cache', () => {
    it.each(['freshet', 'freshet-events'])(
      'sends what both visits did, and no impression twice (%s.js)',
      async (name) => {
        const ingest = await startIngestStub()
        const script = join(await sdk.project(), `node_modules/@freshet/client/dist/${name}.iife.js`)
        const files = { '/': feedPage(ingest.url), '/other': otherPage, '/freshet.js': `file:${script}` }
        const pages = await startPageServer(files)
        const page = await browser!.newPage()
        await page.goto(pages.url)
        /** Each event once, as the server applies it. */
        const events = (): string[] => [
          ...new Map(
            ingest.events.map(({ eventId, action, pinId }) => [eventId, `${String(action)} ${String(pinId)}`]),
          ).values(),
        ]
        const last = (text: string): boolean => /second-visit|loaded-again/.test(text)
        await eventually('both visits', () => (events().some(last) ? true : null), 20_000)
        await page.close()
        pages.close()
        ingest.close()
        expect(events().sort()).toEqual([
          'click came-back',
          'click first-visit',
          'click second-visit',
          'impression seen',
        ])
      },
    )
  })
