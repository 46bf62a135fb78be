import { setImmediate as nextTurn } from 'node:timers/promises'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog, type MemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { ContractError } from '@freshet/contracts/errors'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import type { SourceLog } from '@freshet/event-ingest/connectors/source'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater } from '@freshet/feature-updater/updater'
import { until } from '@freshet/service/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clicksIn, expectedOf, placesIn, readSource, sourceRecords, sourceTopic } from './source.fixture.ts'

const partitions = 4
const noonMs = Date.UTC(2026, 0, 31, 12)
/** Longer than the dedupe memory of these tests. */
const longMs = 200_000

const sourceLayout = {
  name: sourceTopic,
  partitions: 3,
  cleanup: 'delete' as const,
  retentionMs: null,
  maxRecordBytes: 1 << 20,
}

/** A process that reads the source. Its appends can fail, before or after the log has them, or land long after it was killed. */
function aProcess(world: World, maxBatchRecords: number, given: { readonly from?: 'latest' } = {}) {
  let alive = true
  let fault: Fault = 'none'
  const log: EventLog = {
    ...world.ours,
    async append(topic, records, options) {
      const mode = fault
      fault = 'none'
      if (!alive) throw new ContractError('LOG_UNAVAILABLE', 'this process was killed')
      await nextTurn()
      if (mode === 'before') throw new ContractError('LOG_UNAVAILABLE', 'not sent')
      if (mode === 'late') {
        world.late.push({ topic, records })
        throw new ContractError('LOG_UNAVAILABLE', 'sent, but no answer came')
      }
      const positions = await world.ours.append(topic, records, options)
      if (mode === 'after') throw new ContractError('LOG_UNAVAILABLE', 'written, but the answer was lost')
      return positions
    },
  }
  const { component } = readSource(sourceIn(world), log, { maxBatchRecords, ...given })
  return {
    disturb: (next: Fault) => (fault = next),
    async kill() {
      alive = false
      await component.drain?.()
    },
  }
}

type Fault = 'none' | 'before' | 'after' | 'late'

interface World {
  readonly ours: MemoryEventLog
  readonly theirs: MemoryEventLog
  /** Positions that groups have written, by partition. Older than what was handled: processes write them now and then. */
  readonly committed: Map<number, number>
  /** Positions handled but not written yet. */
  readonly handled: Map<number, number>
  /** Appends of killed processes that have not landed yet. */
  readonly late: { readonly topic: string; readonly records: readonly NewRecord[] }[]
}

/** The other system's log; a batch that was handled is only noted, until the test writes the position. */
function sourceIn({ theirs, committed, handled }: World): SourceLog {
  return {
    identity: theirs.identity,
    ends: theirs.ends,
    committed: () =>
      Promise.resolve(
        Array.from({ length: sourceLayout.partitions }, (_, partition) => committed.get(partition) ?? null),
      ),
    begin(_group, _topic, positions) {
      positions.forEach((position, partition) => committed.set(partition, position))
      return Promise.resolve()
    },
    readGroup: (options, call) =>
      theirs.readGroup(
        {
          ...options,
          async onBatch(batch, signal) {
            const verdict = await options.onBatch(batch, signal)
            handled.set(batch.partition, Math.max(batch.next, handled.get(batch.partition) ?? 0))
            return verdict
          },
        },
        call,
      ),
  }
}

type Step =
  | { readonly kind: 'records' | 'turns'; readonly count: number }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly process: number }
  | { readonly kind: 'commit' | 'kill' | 'join' | 'land' | 'forget' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('records' as const), count: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom<Fault>('before', 'after', 'late'),
      process: fc.nat({ max: 1 }),
    }),
    fc.record({
      kind: fc.constantFrom('commit' as const, 'kill' as const, 'join' as const, 'land' as const, 'forget' as const),
    }),
  ),
  { minLength: 8, maxLength: 30 },
)

const aWorld = (): World => ({
  ours: createMemoryEventLog(),
  theirs: createMemoryEventLog(),
  committed: new Map(),
  handled: new Map(),
  late: [],
})

async function runSteps(given: readonly Step[], maxBatchRecords: number): Promise<void> {
  const world = aWorld()
  const { ours, theirs, committed, handled, late } = world
  await ours.applyTopics(topicLayouts(partitions))
  await theirs.applyTopics([sourceLayout])
  const clock = createVirtualClock(noonMs)
  const store = createMemoryStateStore({ clock })
  const config = updaterConfigOf({
    fold: { dedupeWindowMs: 60_000, dedupeTtlMs: 120_000 },
    updater: { canaryEveryMs: 0, logCheckMs: 0, generationPollMs: 0 },
  })
  const updater = createUpdater({ log: ours, store, clock, config })
  await updater.start()
  const processes = [aProcess(world, maxBatchRecords)]
  let sent = 0
  const send = async (count: number) => {
    await theirs.append(sourceTopic, sourceRecords(sent, count))
    sent += count
  }
  const land = async () => {
    for (const { topic, records } of late.splice(0)) await ours.append(topic, records)
  }
  await send(5)
  for (const step of given) {
    if (step.kind === 'records') await send(step.count)
    else if (step.kind === 'turns') for (let turn = 0; turn < step.count; turn++) await nextTurn()
    else if (step.kind === 'fault') processes[step.process % Math.max(1, processes.length)]?.disturb(step.fault)
    else if (step.kind === 'commit') for (const [partition, next] of handled) committed.set(partition, next)
    else if (step.kind === 'kill') await processes.shift()?.kill()
    else if (step.kind === 'join' && processes.length < 3) processes.push(aProcess(world, maxBatchRecords))
    else if (step.kind === 'land') await land()
    else if (step.kind === 'forget') await clock.advance(longMs)
  }
  if (processes.length === 0) processes.push(aProcess(world, maxBatchRecords))

  const topicId = (await theirs.identity(sourceTopic)) ?? ''
  const expected = await expectedOf(theirs)
  await until('all records are in the log', async () => {
    const { accepted, deadLettered } = await placesIn(ours, topicId)
    return accepted.size === expected.accepted.size && deadLettered.size === expected.deadLettered.size
  })
  await land()
  for (const each of processes) await each.kill()
  await ours.drain()

  const places = await placesIn(ours, topicId)
  expect(new Set(places.accepted.keys())).toEqual(expected.accepted)
  expect(places.deadLettered).toEqual(expected.deadLettered)
  expect(places.accepted.size + places.deadLettered.size + expected.skipped).toBe(sent)
  expect(await clicksIn(store, partitions)).toEqual(expected.clicks)
  await updater.stop()
  await Promise.all([ours.close(), theirs.close()])
}

describe("another system's topic as a source", () => {
  it('is read exactly once: records = accepted + dead-lettered + skipped, and state is what folding each record once gives, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 25 }), (given, maxBatchRecords) =>
        runSteps(given, maxBatchRecords),
      ),
      { numRuns: 40 },
    )
  }, 120_000)

  it('that is read from its end loses nothing of what comes later, although its first reader dies before it has read anything', async () => {
    const world = aWorld()
    const { ours, theirs } = world
    await ours.applyTopics(topicLayouts(partitions))
    await theirs.applyTopics([sourceLayout])
    await theirs.append(sourceTopic, sourceRecords(0, 30))
    const first = aProcess(world, 10, { from: 'latest' })
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    await first.kill()
    const before = await expectedOf(theirs)
    await theirs.append(sourceTopic, sourceRecords(30, 60))
    const second = aProcess(world, 10, { from: 'latest' })
    const all = await expectedOf(theirs)
    const topicId = (await theirs.identity(sourceTopic)) ?? ''
    await until('what came later is in the log', async () => {
      const { accepted } = await placesIn(ours, topicId)
      return accepted.size >= all.accepted.size - before.accepted.size
    })
    await second.kill()
    const { accepted } = await placesIn(ours, topicId)
    expect(new Set(accepted.keys())).toEqual(new Set([...all.accepted].filter((place) => !before.accepted.has(place))))
    await Promise.all([ours.close(), theirs.close()])
  })

  it('ends in order although its reader cannot be stopped', async () => {
    const world = aWorld()
    const { ours, theirs } = world
    await ours.applyTopics(topicLayouts(partitions))
    await theirs.applyTopics([sourceLayout])
    const whole = sourceIn(world)
    const source: SourceLog = {
      ...whole,
      readGroup: async (options, call) => ({
        ...(await whole.readGroup(options, call)),
        stop: () => Promise.reject(new Error('the connection was cut')),
      }),
    }
    const { component } = readSource(source, ours)
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    await expect(component.drain?.()).resolves.toBeUndefined()
    await Promise.all([ours.close(), theirs.close()])
  })
})
