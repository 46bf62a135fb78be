/**
 * `npm run chaos`: faults on real processes, Kafka and Redis under load, one row each, with the oracle.
 *
 *   node test/chaos/run.ts [--rows kill-blender,redis-paused] [--short] [--kills 20] [--repeat 5]
 *                          [--events-per-second 1000] [--feeds-per-second 100]
 *                          [--patient] [--out FILE] [--json FILE]
 *
 * `--repeat` injects each row's fault so many times into the same servers and services. `--patient` gives the stages of
 * feeds more time than by default, for machines that do other things at the same time. `--out` adds each result to a file,
 * one JSON line a row. Needs a Docker engine. Exit code 1 when a row did not hold.
 */
import { cpus, loadavg } from 'node:os'
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { figuresOfResults, formatResult, formatSummary, keepResult } from './report.ts'
import { fullScale, shortScale } from './row.ts'
import { chaosRows } from './rows.ts'
import { runRow, type RowResult } from './run-row.ts'

const values = readArguments(
  'npm run chaos --',
  {
    rows: { type: 'string' },
    short: { type: 'boolean', default: false },
    kills: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    'events-per-second': { type: 'string', default: '1000' },
    'feeds-per-second': { type: 'string', default: '100' },
    patient: { type: 'boolean', default: false },
    out: { type: 'string' },
    json: { type: 'string' },
  },
  {
    rows: 'NAME,NAME',
    kills: 'N',
    repeat: 'N',
    'events-per-second': 'N',
    'feeds-per-second': 'N',
    out: 'FILE',
    json: 'FILE',
  },
)
const wanted = values.rows?.split(',') ?? chaosRows.map(({ name }) => name)
const unknown = wanted.filter((name) => !chaosRows.some((row) => row.name === name))
if (unknown.length > 0) {
  refuseArguments(`no rows: ${unknown.join(', ')}; there are ${chaosRows.map(({ name }) => name).join(', ')}`)
}
const base = values.short ? shortScale : fullScale
const scale = { ...base, kills: values.kills === undefined ? base.kills : Number(values.kills) }
const eventsPerSecond = Number(values['events-per-second'])
const feedsPerSecond = Number(values['feeds-per-second'])

const results: RowResult[] = []
const problems: string[] = []
let failed = 0
for (const [index, row] of chaosRows.filter(({ name }) => wanted.includes(name)).entries()) {
  const options = {
    scale,
    eventsPerSecond,
    feedsPerSecond,
    users: 2 * eventsPerSecond,
    seed: index + 1,
    patient: values.patient,
    repeats: Number(values.repeat),
  }
  try {
    const result = await runRow(row, options)
    if ('absent' in result) {
      console.error(result.absent)
      process.exit(2)
    }
    results.push(result)
    problems.push(...result.problems.map((problem) => `${result.name}: ${problem}`))
    if (result.problems.length > 0) failed++
    if (values.out !== undefined) keepResult(values.out, result, options)
    console.log(formatResult(result))
  } catch (error) {
    failed++
    problems.push((error as Error).message)
    console.log(`✗ ${(error as Error).message}`)
  }
}
writeFigures(values.json, { ...figuresOfResults(results), problems })
if (results.length > 1) console.log(`\n${formatSummary(results)}\n`)
console.log(
  `${wanted.length - failed} of ${wanted.length} rows held, asked for ${eventsPerSecond} events/s and ${feedsPerSecond} feeds/s; ${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}`,
)
process.exit(failed > 0 ? 1 : 0)
