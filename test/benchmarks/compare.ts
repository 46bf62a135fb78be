/**
 * `npm run bench:compare`: measures again what `ratios.json` keeps, and says what became worse.
 *
 *   node test/benchmarks/compare.ts [--only TEXT] [--runs 3] [--quick] [--keep]
 *
 * A row counts by its ratio to the reference of the same run; a row without a reference by its value, which holds for one
 * kind of machine only. A change within the noise of the runs, at least 10 %, is no change. --keep writes the new figures
 * into `ratios.json`. Exit code 1: something became worse.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { openCluster } from '../harness/cluster.ts'
import { benchmarks } from './benchmarks.ts'
import { compareFigures, figuresOf, formatComparisons, type KeptFigures } from './ratios.ts'
import type { BenchRow } from './row.ts'

const values = readArguments(
  'npm run bench:compare --',
  {
    only: { type: 'string', default: 'GetFeed, one process' },
    runs: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
  { only: 'TEXT', runs: 'N' },
)
const { only, quick } = values
const count = Number(values.runs)
if (!Number.isInteger(count) || count < 1) refuseArguments(`--runs is ${values.runs}; give a whole number above 0`)
const file = join(import.meta.dirname, 'ratios.json')
const kept = JSON.parse(readFileSync(file, 'utf8')) as KeptFigures
const wanted = benchmarks.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()))
if (wanted.length === 0)
  throw new Error(`no benchmark is called ${only}; there are ${benchmarks.map(({ name }) => name).join('; ')}`)
const cluster = wanted.some(({ needs }) => needs === 'cluster') ? await openCluster() : null
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const runs: (readonly BenchRow[])[] = []
for (let run = 1; run <= count; run++) {
  const rows: BenchRow[] = []
  for (const benchmark of wanted) {
    say(`run ${run} of ${count}: ${benchmark.name}`)
    if (benchmark.needs !== 'cluster') rows.push(...(await benchmark.run({ quick, say })))
    else if (cluster === null || 'absent' in cluster) say(`SKIPPED: ${benchmark.name}: ${cluster?.absent ?? ''}`)
    else rows.push(...(await benchmark.run({ quick, say, cluster })))
  }
  runs.push(rows)
}
if (cluster !== null && 'stop' in cluster) await cluster.stop()

const now = figuresOf(runs)
const comparisons = compareFigures(kept, now, runs.flat())
console.log(formatComparisons(comparisons))
if (values.keep) writeFileSync(file, `${JSON.stringify({ ...kept, ...now }, null, 2)}\n`)
process.exitCode = !values.keep && comparisons.some(({ verdict }) => verdict === 'WORSE') ? 1 : 0
