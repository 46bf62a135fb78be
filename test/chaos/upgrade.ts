/**
 * `npm run chaos:upgrade`: an upgrade and the way back under load, on real Kafka and Redis, with the oracle: two checkouts, one process
 * replaced at a time, in an order that the seed draws.
 *
 *   node test/chaos/upgrade.ts --old FOLDER [--new FOLDER] [--times 1] [--seed 1]
 *                              [--events-per-second 200] [--feeds-per-second 20] [--patient] [--json FILE]
 *
 * `--old` is a checkout of the version before, with its packages installed:
 * `git worktree add ../freshet-old TAG && (cd ../freshet-old && npm ci)`. Default of `--new`: this checkout. `--times` goes up and
 * back so many times, each in another order. `--patient` is for a machine that does other things too: feeds may come late, but must not
 * fail. Needs a Docker engine. Exit code 1 when an event was lost or counted twice, when a feed did
 * not come in time, or when event-ingest answered with a status from 500 on.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { figuresOfResults, formatResult } from './report.ts'
import { rollingUpgrade } from './rolling-upgrade.ts'
import { shortScale } from './row.ts'
import { runRow } from './run-row.ts'

const values = readArguments(
  'npm run chaos:upgrade --',
  {
    old: { type: 'string' },
    new: { type: 'string' },
    times: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    'events-per-second': { type: 'string', default: '200' },
    'feeds-per-second': { type: 'string', default: '20' },
    patient: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  {
    old: 'FOLDER',
    new: 'FOLDER',
    times: 'N',
    seed: 'N',
    'events-per-second': 'N',
    'feeds-per-second': 'N',
    json: 'FILE',
  },
)
if (values.old === undefined)
  refuseArguments('--old is missing; give the checkout of the version before, with its packages installed')
const [oldFolder, newFolder] = [resolve(values.old), resolve(values.new ?? join(import.meta.dirname, '../..'))]
for (const [option, folder] of [
  ['--old', oldFolder],
  ['--new', newFolder],
] as const)
  for (const part of ['apps/blender/src/main.ts', 'node_modules'])
    if (!existsSync(join(folder, part)))
      refuseArguments(`${option} is ${folder}, where ${part} is missing; give a checkout after npm ci`)
if (!/^[1-9]\d*$/.test(values.times)) refuseArguments(`--times is ${values.times}; give a whole number from 1 on`)

const seed = Number(values.seed)
const eventsPerSecond = Number(values['events-per-second'])
const result = await runRow(rollingUpgrade({ oldFolder, newFolder, seed, patient: values.patient }), {
  scale: shortScale,
  eventsPerSecond,
  feedsPerSecond: Number(values['feeds-per-second']),
  users: 2 * eventsPerSecond,
  seed,
  patient: values.patient,
  repeats: Number(values.times),
})
if ('absent' in result) {
  console.error(result.absent)
  process.exit(2)
}
console.log(formatResult(result))
writeFigures(values.json, { ...figuresOfResults([result]), problems: result.problems })
process.exit(result.problems.length > 0 ? 1 : 0)
