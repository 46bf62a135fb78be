/**
 * `npm run chaos`: faults on real processes, Kafka and Redis under load, one row each, with the oracle.
 *
 *   node test/chaos/run.ts [--rows kill-blender,redis-paused] [--short] [--kills 20]
 *                          [--events-per-second 1000] [--feeds-per-second 100]
 *                          [--patient]
 *
 * `--patient` gives the stages of feeds more time than by default, for machines that do other things at the same time.
 * Needs a Docker engine. Exit code 1 when a row did not hold.
 */
import { parseArgs } from 'node:util'
import { chaosRows, fullScale, shortScale } from './rows.ts'
import { formatResult, runRow } from './run-row.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    short: { type: 'boolean', default: false },
    kills: { type: 'string' },
    'events-per-second': { type: 'string', default: '1000' },
    'feeds-per-second': { type: 'string', default: '100' },
    patient: { type: 'boolean', default: false },
  },
})
const wanted = values.rows?.split(',') ?? chaosRows.map(({ name }) => name)
const unknown = wanted.filter((name) => !chaosRows.some((row) => row.name === name))
if (unknown.length > 0) {
  console.error(`no rows: ${unknown.join(', ')}; there are ${chaosRows.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const base = values.short ? shortScale : fullScale
const scale = { ...base, kills: values.kills === undefined ? base.kills : Number(values.kills) }
const eventsPerSecond = Number(values['events-per-second'])
const feedsPerSecond = Number(values['feeds-per-second'])

let failed = 0
for (const [index, row] of chaosRows.filter(({ name }) => wanted.includes(name)).entries()) {
  const users = 2 * eventsPerSecond
  try {
    const result = await runRow(row, {
      scale,
      eventsPerSecond,
      feedsPerSecond,
      users,
      seed: index + 1,
      patient: values.patient,
    })
    if ('absent' in result) {
      console.error(result.absent)
      process.exit(2)
    }
    if (result.problems.length > 0) failed++
    console.log(formatResult(result))
  } catch (error) {
    failed++
    console.log(`✗ ${(error as Error).message}`)
  }
}
console.log(
  `${wanted.length - failed} of ${wanted.length} rows held, at ${eventsPerSecond} events/s and ${feedsPerSecond} feeds/s`,
)
process.exit(failed > 0 ? 1 : 0)
