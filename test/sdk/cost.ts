/**
 * `npm run sdk:cost [-- --json FILE]`: what the SDK costs a page: bytes, and main-thread time per event in Chromium, tracking and sending included.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { readArguments } from '../harness/arguments.ts'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { startIngestStub } from './ingest-stub.ts'
import { packSdk } from './package.ts'
import { startPageServer } from './page-server.ts'

const values = readArguments('npm run sdk:cost --', { json: { type: 'string' } }, { json: 'FILE' })
const figures: FigureRow[] = []
const events = 2_000
const runs = 5

const sdk = await packSdk()
const dist = join(await sdk.project(), 'node_modules/@freshet/client/dist')
for (const name of ['freshet-events.js', 'freshet-events.iife.js', 'freshet.js', 'freshet.iife.js']) {
  const bytes = readFileSync(join(dist, name))
  const gzip = gzipSync(bytes, { level: 9 }).length
  figures.push({ key: `${name}, gzip`, cells: [`${gzip} bytes`] })
  console.log(`${name}: ${bytes.length} bytes, ${gzip} gzip, ${brotliCompressSync(bytes).length} brotli`)
}
const path = findChromium()
if (path === null) {
  console.log('SKIPPED: main-thread time; there is no Chromium')
  sdk.remove()
} else await measure(path)
writeFigures(values.json, {
  columns: ['figure'],
  rows: figures,
  problems: path === null ? ['the time of the main thread was skipped: there is no Chromium'] : [],
})

/** A server that accepts everything at once. */
async function measure(chromium: string): Promise<void> {
  const ingest = await startIngestStub()
  const script = `<!doctype html><script src="/freshet.js"></script><script>
const client = freshet.createFreshet({ ingestUrl: '${ingest.url}' })
const item = { pinId: 'pin-1234', feedId: 'f0mgj6k3cw0010uhzbr0qfo8', position: 3, surface: 'home' }
window.track = async (count) => {
  let callMs = 0
  for (let i = 0; i < count; i += 20) {
    const from = performance.now()
    for (let k = 0; k < 20; k++) void client.click(item)
    callMs += performance.now() - from
    await new Promise((done) => setTimeout(done))
  }
  while ((await client.flush()).left > 0);
  return callMs
}</script>`
  const pages = await startPageServer({ '/': script, '/freshet.js': `file:${join(dist, 'freshet.iife.js')}` })
  const browser = await startChromium(chromium)
  const page = await browser.newPage()
  await page.goto(pages.url)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const busyMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
  }
  const all: (readonly [callMs: number, allMs: number])[] = []
  for (let run = 0; run <= runs; run++) {
    const bytesBefore = ingest.bodyBytes()
    const before = await busyMs()
    const callMs = await page.evaluate<number>(`track(${events})`)
    const allMs = (await busyMs()) - before
    if (run === 0) continue
    const us = (ms: number): string => `${((1000 * ms) / events).toFixed(0)} µs`
    all.push([callMs, allMs])
    console.log(
      `run ${run}: ${us(callMs)} in the call, ${us(allMs)} of the main thread in all, ${Math.round((ingest.bodyBytes() - bytesBefore) / events)} bytes sent, per event`,
    )
  }
  const median = (at: 0 | 1): string => {
    const sorted = all.map((each) => each[at]).toSorted((a, b) => a - b)
    return `${((1000 * sorted[sorted.length >> 1]!) / events).toFixed(0)} µs`
  }
  figures.push(
    { key: `main thread in the call, per event, median of ${runs} runs`, cells: [median(0)] },
    { key: `main thread in all, per event, median of ${runs} runs`, cells: [median(1)] },
  )
  await browser.close()
  pages.close()
  ingest.close()
  sdk.remove()
}
