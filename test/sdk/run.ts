/**
 * `npm run sdk:faults [-- --outage 10m] [--only TEXT] [--json FILE]`: the SDK in Chromium and in Node against `freshet dev` through a proxy with faults, and
 * what became of its events. Exit code 1 when one was lost or doubled.
 */
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { startDevServer } from './dev-server.ts'
import { faultTable, nodeScenarios, pageScenarios, playFaults } from './faults.ts'
import { hostileScenarios } from './hostile-scenarios.ts'
import { packSdk } from './package.ts'

const values = readArguments(
  'npm run sdk:faults --',
  { outage: { type: 'string', default: '8s' }, only: { type: 'string' }, json: { type: 'string' } },
  { outage: '30s', only: 'TEXT', json: 'FILE' },
)
const [, count = '', unit = ''] = /^(\d+)(s|m)$/.exec(values.outage) ?? []
if (count === '') refuseArguments(`--outage is ${values.outage}; give for example 30s or 10m`)
const outageMs = Number(count) * (unit === 'm' ? 60_000 : 1_000)

const path = findChromium()
if (path === null) console.log('SKIPPED: the scenarios in a page; there is no Chromium')
const sdk = await packSdk()
const dev = await startDevServer()
const browser = path === null ? null : await startChromium(path)
try {
  const scenarios = [...(browser === null ? [] : [...pageScenarios, ...hostileScenarios]), ...nodeScenarios].filter(
    ([name]) => name.includes(values.only ?? ''),
  )
  const project = await sdk.project()
  const rows = await playFaults({ dev, browser, project, outageMs }, scenarios, (scenario, seconds) => {
    console.error(`${scenario}: ${seconds.toFixed(1)} s`)
  })
  console.log(faultTable(rows))
  writeFigures(values.json, {
    columns: ['tracked', 'lost', 'doubled', 'rejected or dropped'],
    rows: rows.map(({ scenario, tracked, lost, doubled, rejectedOrDropped }) => ({
      key: scenario,
      cells: [tracked, lost, doubled, rejectedOrDropped].map(String),
    })),
    problems: [
      ...(browser === null ? ['the scenarios in a page were skipped: there is no Chromium'] : []),
      ...rows.flatMap(({ scenario, tracked, lost, doubled }) =>
        lost > 0 || doubled !== 0 || tracked === 0
          ? [`${scenario}: ${tracked} tracked, ${lost} lost, ${doubled} doubled`]
          : [],
      ),
    ],
  })
  if (rows.some(({ lost, doubled, tracked }) => lost > 0 || doubled !== 0 || tracked === 0)) process.exitCode = 1
} finally {
  await browser?.close()
  await dev.remove()
  sdk.remove()
}
