/**
 * The last period of DIGINETICA against five real processes on real Kafka and Redis, by HTTP and gRPC, and the same in
 * one process: prints the figures of both and how many answers differ, question by question.
 *
 *   node test/quality/five-processes.ts [--data FOLDER] [--every N] [--from PERIOD] [--sources a,b]
 *
 * `--from` is the first period learned from. The trainer takes no part: what it learns depends on the order in which
 * users' events arrive, which differs from run to run.
 */
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import { readArguments } from '../harness/arguments.ts'
import { openCluster } from '../harness/cluster.ts'
import { startFleet } from '../harness/processes.ts'
import { digineticaLines, writeRecording } from './convert.ts'
import { runFreshet } from './freshet.ts'

const root = join(import.meta.dirname, '../..')
const lastPeriod = 16

const values = readArguments(
  'node test/quality/five-processes.ts',
  {
    data: { type: 'string', default: join(root, '../shared/data') },
    every: { type: 'string', default: '20' },
    from: { type: 'string', default: '0' },
    sources: {
      type: 'string',
      default: sourceDefinitions
        .flatMap(({ name, enabled }) => (enabled && name !== 'pin2vec' ? [name] : []))
        .join(','),
    },
  },
  { data: 'FOLDER', every: 'N', from: 'N', sources: 'NAMES' },
)

const folder = join(resolve(values.data), 'diginetica')
if (!existsSync(folder)) {
  console.log(`skipped: ${folder} is not there`)
  process.exit(0)
}
const cluster = await openCluster()
if ('absent' in cluster) {
  console.log(`skipped: ${cluster.absent}`)
  process.exit(0)
}

const scratch = mkdtempSync(join(tmpdir(), 'freshet-five-'))
const world = await cluster.fresh()
const wanted = values.sources.split(',')
const sources = Object.fromEntries(sourceDefinitions.map(({ name }) => [name, { enabled: wanted.includes(name) }]))
const patience = Object.fromEntries(
  ['USER_STATE', 'AWAIT', 'RETRIEVE', 'RANK', 'RECORD'].map((stage) => [`FRESHET_BLENDER_${stage}_BUDGET_MS`, '30000']),
)
const fleet = await startFleet({
  brokers: world.brokers,
  redisUrl: world.redisUrl,
  env: { FRESHET_LOG_LEVEL: 'warn' },
  envOf: {
    'event-ingest': { FRESHET_INGEST_MAX_EVENT_AGE_DAYS: '0' },
    'feature-updater': { FRESHET_REDIS_KEY_PREFIX: world.keyPrefix, FRESHET_UPDATER_CANARY_EVERY_MS: '0' },
    blender: {
      FRESHET_REDIS_KEY_PREFIX: world.keyPrefix,
      FRESHET_BLENDER_SHOW_UNLISTED_PINS: 'true',
      ...patience,
    },
    'candidate-service': { FRESHET_CANDIDATES_RETRIEVAL: JSON.stringify({ sources, showUnlistedPins: true }) },
  },
})

try {
  const periods = Array.from({ length: lastPeriod + 1 - Number(values.from) }, (_, at) => Number(values.from) + at)
  const recording = join(scratch, 'last-period.jsonl.gz')
  await writeRecording(questionsOfLastPeriod(folder, periods), recording)
  const config = join(scratch, 'config.json')
  writeFileSync(config, JSON.stringify({ candidates: { retrieval: { sources } }, trainer: null }))
  const common = ['evaluate', recording, '--ask', 'candidates', '--repeats', 'allow', '--every', values.every]
  const one = join(scratch, 'one.jsonl')
  const five = join(scratch, 'five.jsonl')
  console.log(
    `sources: ${wanted.join(', ')}; learned from period ${values.from} on; every ${values.every}th question of period ${lastPeriod}\n`,
  )
  console.log(`one process:\n${await runFreshet([...common, '--config', config, '--answers', one])}`)
  console.log(
    `five processes:\n${await runFreshet([...common, '--answers', five, '--target', fleet.ingestUrl, '--feed', fleet.feedAddress])}`,
  )
  const [left, right] = [await ranksOf(one), await ranksOf(five)]
  const differing = left.filter((rank, at) => rank !== right[at]).length
  console.log(`${left.length} and ${right.length} answers; the rank of the target differs in ${differing}`)
  process.exitCode = left.length === right.length && differing === 0 ? 0 : 1
} catch (error) {
  console.error(fleet.logs())
  throw error
} finally {
  await fleet.stop()
  await world.close()
  await cluster.stop()
  rmSync(scratch, { recursive: true })
}

async function* questionsOfLastPeriod(
  data: string,
  periods: readonly number[],
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const line of digineticaLines(data, periods)) {
    const question = line['question'] as { readonly group: string } | undefined
    if (question === undefined || question.group === String(lastPeriod)) yield line
  }
}

async function ranksOf(file: string): Promise<string[]> {
  const ranks: string[] = []
  for await (const text of createInterface({ input: createReadStream(file) })) {
    const { question, rank } = JSON.parse(text) as { question: number; rank: number }
    ranks.push(`${question}:${rank}`)
  }
  return ranks.length > 0 ? ranks : readFileSync(file, 'utf8').split('\n')
}
