import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { isContractError } from '@freshet/contracts/errors'
import type { EventLog, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts } from '@freshet/contracts/topics'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { rebuildState, type RebuildReport } from '@freshet/feature-updater/rebuild'
import { createUpdater } from '@freshet/feature-updater/updater'
import { testPartitions } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { appendAll } from './append.ts'
import { cpuMsNow, nowMs, type Bench, type ClusterBench } from './bench.ts'
import { createPositionWatch, type Readable } from './position-watch.ts'
import { plainRow, quantile, type BenchRow } from './row.ts'
import { recordsOf, syntheticWorld } from './synthetic.ts'

const patienceMs = 1_800_000
const livePerSecond = 100

/** Rebuilds user state from the log in the process that keeps folding new events, on LMDB. */
export async function rebuildLmdbRows(bench: Bench): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
  const environment = await openEnvironment({ folder })
  const clock = createSystemClock()
  const log = createLmdbEventLog({ environment, clock })
  const store = createLmdbStateStore({ environment, clock })
  try {
    await log.applyTopics(topicLayouts(testPartitions))
    return await rebuildRows(bench, 'LMDB', log, store)
  } finally {
    await Promise.all([log.close(), store.close()])
    await environment.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same on Kafka and Redis. */
export async function rebuildClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  const world = await bench.cluster.fresh()
  try {
    return await rebuildRows(bench, 'Kafka and Redis', world.log, world.store)
  } finally {
    await world.close()
  }
}

async function rebuildRows(bench: Bench, where: string, log: EventLog, store: StateStore): Promise<BenchRow[]> {
  const engagements = bench.quick ? 5_000 : 1_000_000
  const users = bench.quick ? 500 : 50_000
  const config = updaterConfigOf({ updater: { canaryEveryMs: 0 } })
  const updater = createUpdater({ log, store, clock: createSystemClock(), config })
  await updater.start(['engagements.v1'])
  const part = Math.min(engagements, 50_000)
  for (let first = 0; first < engagements; first += part) {
    await appendAll(log, 'engagements.v1', recordsFor(part, users, `filled-${first}`))
    await eventually('folded', async () => ((await updater.lag()) === 0 ? true : null), patienceMs, 20)
    if (first % (4 * part) === 0) bench.say(`rebuild on ${where}: ${first + part} of ${engagements} events folded`)
  }
  bench.say(`rebuild on ${where}`)
  const live = createLiveLoad(log, store, users)
  await live.start()
  const startMs = performance.now()
  const startCpuMs = cpuMsNow()
  const report: RebuildReport = await rebuildState({
    log,
    store,
    clock: createSystemClock(),
    config,
    family: 'user',
    generation: null,
    signal: new AbortController().signal,
    onError: () => undefined,
  })
  const tookMs = performance.now() - startMs
  const cpuMs = cpuMsNow() - startCpuMs
  const liveMs = await live.stop()
  await updater.stop()
  const note = `${where}, one process; ${report.records} events of ${users} users folded and ${report.compared} states compared (${report.identical ? 'identical' : 'DIFFERENT'}) while ${livePerSecond} events/s came in`
  return [
    plainRow(`rebuild while serving on ${where}`, report.records / (tookMs / 1000), 'events/s', '≥ 20000', note),
    plainRow(`rebuild while serving on ${where}, CPU`, (cpuMs * 1000) / report.records, 'µs/event', '', note),
    plainRow(
      `rebuild while serving on ${where}, live event → readable, p99`,
      quantile(liveMs, 0.99),
      'ms',
      '< 1000',
      `${note}; ${liveMs.length} events from the log's acknowledgement to the stored position`,
    ),
  ]
}

/** Events at a steady rate, and how long each took until it could be read. */
function createLiveLoad(log: EventLog, store: StateStore, users: number) {
  const watch = createPositionWatch(store, testPartitions)
  const sent: { readonly partition: number; readonly position: number; readonly atMs: number }[] = []
  let running = true
  let ended: Promise<void> | null = null

  async function run(): Promise<void> {
    for (let second = 0; running; second++) {
      for (const record of recordsFor(livePerSecond, users, `live-${second}`)) {
        if (!running) return
        const nextMs = performance.now() + 1000 / livePerSecond
        const place = await appended(log, record)
        sent.push({ ...place, atMs: nowMs() })
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())))
      }
    }
  }

  return {
    async start(): Promise<void> {
      await watch.start()
      ended = run()
    },
    async stop(): Promise<readonly number[]> {
      running = false
      await ended
      // What was sent last is given time to arrive: left out, it would leave out the slowest.
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      const seen = Map.groupBy(watch.stop(), ({ partition }) => partition)
      return sent.map(({ partition, position, atMs }) => {
        const read = (seen.get(partition) ?? []).find((readable: Readable) => readable.next > position)
        return read === undefined ? Number.POSITIVE_INFINITY : Math.max(0, read.atMs - atMs)
      })
    },
  }
}

/** Sent again until the log has it: what a client does. */
async function appended(log: EventLog, record: NewRecord): Promise<Position> {
  for (;;) {
    try {
      const [place] = await log.append('engagements.v1', [record])
      if (place !== undefined) return place
    } catch (error) {
      if (!isContractError(error, 'LOG_UNAVAILABLE')) throw error
    }
  }
}

function recordsFor(engagements: number, users: number, name: string): readonly NewRecord[] {
  const size = { pins: 20_000, users, engagements, endMs: Date.now(), overMs: 60_000, visualWidth: 0, name }
  return recordsOf(syntheticWorld(size)).find(({ topic }) => topic === 'engagements.v1')!.records
}
