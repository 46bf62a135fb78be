import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { startDevServer, type DevServer } from './dev-server.ts'
import { faultTable, nodeScenarios, pageScenarios, playFaults, type FaultRow } from './faults.ts'
import { hostileScenarios } from './hostile-scenarios.ts'
import { packSdk, type PackedSdk } from './package.ts'

/** The short form; `npm run sdk:faults -- --outage 10m` is the long one. */
const outageMs = 2_000

const path = findChromium()
const scenarios = [...(path === null ? [] : [...pageScenarios, ...hostileScenarios]), ...nodeScenarios]
let sdk: PackedSdk
let dev: DevServer
let browser: Browser | null = null
let rows: readonly FaultRow[] = []

beforeAll(async () => {
  sdk = await packSdk()
  dev = await startDevServer()
  browser = path === null ? null : await startChromium(path)
  rows = await playFaults({ dev, browser, project: await sdk.project(), outageMs }, scenarios)
  console.log(faultTable(rows))
})
afterAll(async () => {
  await browser?.close()
  await dev?.remove()
  sdk?.remove()
})

if (path === null)
  describe.skip('the SDK in a page (skipped: there is no Chromium)', () => {
    it.todo('needs Chromium: FRESHET_CHROMIUM or Debian’s chromium')
  })

describe('no event of the SDK is lost or counted twice', () => {
  it.each(scenarios.map(([name]) => name))('%s', (name) => {
    const row = rows.find(({ scenario }) => scenario === name)
    const isDropping = name.startsWith('opt-out')
    expect(row).toMatchObject({ lost: 0, doubled: 0, ...(!isDropping && { rejectedOrDropped: 0 }) })
    // A page that is left right after a click seldom hears that its event is stored.
    expect(row!.tracked + row!.unanswered).toBeGreaterThan(5)
    expect(row!.tracked).toBeGreaterThan(0)
  })
})
