/**
 * `npm run console:figures [-- --json FILE]`: measures what the first minute costs: the start, the weight of the page, the first feed, scrolling over 1,000 pins,
 * a click until the feed has changed, and memory. Prints; asserts nothing.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { readArguments } from '../harness/arguments.ts'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { eventually } from '../harness/eventually.ts'
import { createConsoleServer } from './console-server.ts'
import { drawnPins, feedOf, openConsole } from './page.ts'

const samplePins = 10_000
const saves = 60

const path = findChromium()
if (path === null) throw new Error('There is no Chromium: set FRESHET_CHROMIUM or install Debian’s chromium.')
const values = readArguments('npm run console:figures --', { json: { type: 'string' } }, { json: 'FILE' })
const figures: FigureRow[] = []
const line = (name: string, value: string): void => {
  figures.push({ key: name, cells: [value] })
  console.log(`${name.padEnd(44)} ${value}`)
}
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

const server = await createConsoleServer(samplePins)
const browser = await startChromium(path)

/** Until the page answers and shows a feed. */
async function start(name: string): Promise<void> {
  const from = performance.now()
  const isReady = server.process.start(280_000)
  await eventually(
    'the page',
    () =>
      fetch(server.url).then(
        ({ ok }) => ok || null,
        () => null,
      ),
    280_000,
  )
  const servedMs = performance.now() - from
  const { page, close } = await openConsole(browser, { url: server.url, userId: 'ada' })
  await feedOf(page)
  line(`${name}: page served, feed drawn`, `${seconds(servedMs)}, ${seconds(performance.now() - from)}`)
  await close()
  await isReady
}
await start('first start')
await server.process.stop()
await start('later start')

const assets = join(import.meta.dirname, '../../apps/console/dist/assets')
const weights = readdirSync(assets)
  .filter((name) => /\.(js|css)$/.test(name))
  .map((name) => gzipSync(readFileSync(join(assets, name))).length)
line('page, all parts, gzipped', `${(weights.reduce((sum, bytes) => sum + bytes, 0) / 1_000).toFixed(1)} kB`)

const draws: number[] = []
for (let visit = 0; visit < 5; visit++) {
  const { page, close } = await openConsole(browser, { url: server.url, userId: `visitor-${visit}` })
  await page.locator('article img.is-ready').first().waitFor()
  draws.push(await page.evaluate<number>(`performance.now()`))
  await close()
}
line('first feed drawn, median of 5 visits', `${Math.round(draws.toSorted((a, b) => a - b)[2]!)} ms`)

const { page, close } = await openConsole(browser, { url: server.url, userId: 'scroller' })
await feedOf(page)
const session = await page.context().newCDPSession(page)
const heapBytes = async (): Promise<number> => {
  await session.send('HeapProfiler.collectGarbage')
  return (await session.send('Runtime.getHeapUsage')).usedSize
}
const heapBefore = await heapBytes()
const scrolled = await page.evaluate<{
  frames: number
  ms: number
  slow: number
  pins: number
}>(`new Promise((done) => {
  const seen = new Set()
  const from = performance.now()
  let frames = 0, slow = 0, last = from
  const step = (now) => {
    frames++
    if (now - last > 34) slow++
    last = now
    for (const { dataset } of document.querySelectorAll('[data-pin]')) seen.add(dataset.pin)
    scrollBy(0, 24)
    if (seen.size >= 1000 || now - from > 120000) done({ frames, slow, ms: now - from, pins: seen.size })
    else requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
})`)
line(
  `scrolling over ${scrolled.pins} pins`,
  `${((1_000 * scrolled.frames) / scrolled.ms).toFixed(1)} frames/s, ${scrolled.slow} of ${scrolled.frames} frames over 34 ms`,
)
line('heap before and after', `${megabytes(heapBefore)}, ${megabytes(await heapBytes())}`)
line('elements in the page then', String(await page.evaluate<number>(`document.querySelectorAll('*').length`)))
await close()

const clicker = await openConsole(browser, { url: server.url, userId: 'clicker' })
await feedOf(clicker.page)
const reflected = clicker.page.locator('.freshness li.is-done .number')
for (let at = 0; at < saves; at++) {
  const pins = await drawnPins(clicker.page)
  await clicker.page.locator(`[data-pin="${pins[at % 4]!}"]`).focus()
  await clicker.page.keyboard.press('s')
  await reflected.waitFor({ state: 'detached', timeout: 2_000 }).catch(() => undefined)
  await reflected.waitFor()
}
line(`click → changed feed, ${saves} clicks`, await clicker.page.locator('.freshness-all').innerText())
await clicker.close()
line('memory of the process', megabytes(server.process.residentBytes()))
writeFigures(values.json, { columns: ['figure'], rows: figures, problems: [] })
await browser.close()
await server.remove()
