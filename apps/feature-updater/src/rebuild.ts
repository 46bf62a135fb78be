import { withoutTail } from '@freshet/contracts/codecs/user-state'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { epochIn, logReplaced, positionIn, type FollowedLog } from '@freshet/contracts/followed-log'
import type { BatchVerdict, EventLog, LogBatch } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { familyTopic, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { hash64 } from '@freshet/domain/hash'
import { checkedConfig, type UpdaterConfig } from './config.ts'
import { createErasures } from './erasures.ts'
import { createFollowing, isReplaced } from './following.ts'
import { createPartitionFolder, type PartitionFolder } from './fold-partition.ts'
import { createPinStage } from './fold-pins.ts'
import { createUserStage } from './fold-users.ts'
import { partitionsUpTo, servingGeneration } from './generations.ts'
import { readToEnd } from '@freshet/contracts/read-to-end'

/** Result of a rebuild. */
export interface RebuildReport {
  readonly family: StateFamily
  /** The generation that served during the rebuild. */
  readonly old: string
  readonly fresh: string
  /** Records folded by this run. */
  readonly records: number
  /** Values compared, each at equal positions of both generations. */
  readonly compared: number
  readonly different: number
  /** Values that only one generation has. The new one may have more: the old one drops what was silent for its TTL. */
  readonly onlyOld: number
  readonly onlyFresh: number
  /** Some keys that are not the same, for people. */
  readonly examples: readonly string[]
  /** Sum of hashes of all keys and values compared, in hexadecimal, of either generation. */
  readonly oldChecksum: string
  readonly freshChecksum: string
  /** Partitions of which the log no longer holds the beginning, or not all of them since it is younger than the state: the new generation knows less. */
  readonly truncatedPartitions: readonly number[]
  /** Whether both generations hold the same. */
  readonly identical: boolean
}

/** Keys that are compared together. Nothing else runs meanwhile where the store answers at once. */
const pageKeys = 200
/**
 * Batches under way over all partitions: one waits for the store while the next is folded. With one of each partition, all
 * that comes in meanwhile would wait behind them all where a store commits one after another.
 */
const batchesAtOnce = 2

/**
 * Folds the log from its start into another generation of a family's state, while the old one serves and is written to,
 * then compares both, key by key and byte by byte, at equal positions: what was read of the old one at a position is
 * compared after the new one was folded to exactly there. Nothing is sent onward: the log has it already. Goes on where a
 * rebuild that was stopped left off. Does not switch: see `switchGeneration`. Rejects with the signal's reason when aborted,
 * with LOG_REPLACED where the log is not the one that the state was folded from.
 */
export async function rebuildState(options: {
  readonly log: EventLog
  readonly store: StateStore
  readonly clock: Clock
  readonly config: UpdaterConfig
  readonly family: StateFamily
  /** null: one after the generation that serves. */
  readonly generation: string | null
  readonly signal: AbortSignal
  readonly onProgress?: (records: number) => void
  readonly onError: (error: Error) => void
}): Promise<RebuildReport> {
  const { log, store, family } = options
  const config = checkedConfig(options.config)
  const topic = familyTopic[family]
  const partitions = partitionsUpTo(await log.partitionCount(topic, { signal: options.signal }))
  const old = await servingGeneration(store, family, { signal: options.signal })
  const fresh = options.generation ?? String(Number(old) + 1)
  const [oldScope, freshScope] = [stateScope(family, old), stateScope(family, fresh)]
  const starts = await log.starts(topic, { signal: options.signal })
  const following = createFollowing({ log, store, clock: options.clock, scopeOf: () => oldScope })
  await following.refresh()
  const standings = await following.look(partitions.map((partition) => ({ topic, partition })))
  standings.forEach(following.check)
  const followed = following.of(topic)
  const placeOf = (stored: number | null | undefined): number =>
    stored != null && epochIn(stored) === followed.epoch ? positionIn(stored) : 0
  const broken = new AbortController()
  const onError = (error: Error): void => {
    if (isReplaced(error)) broken.abort(error)
    options.onError(error)
  }
  let records = 0

  const signal = AbortSignal.any([options.signal, broken.signal])
  const folder = await folderInto(fresh, followed, config, { ...options, onError, signal })
  const limits = createLimits(partitions.length, signal)
  const turns = createTurns(batchesAtOnce)
  const startPositions = await store.positions(freshScope, partitions, { signal })
  const folded = startPositions.map(placeOf)

  const onBatch = async (batch: LogBatch): Promise<BatchVerdict> => {
    const limit = await limits.above(batch.partition, batch.from)
    const next = Math.min(batch.next, limit)
    const cut = { ...batch, next, records: batch.records.filter(({ position }) => position < next) }
    const verdict = await turns.taken(() => folder.handle(cut, signal))
    if (verdict === undefined) {
      records += cut.records.length
      options.onProgress?.(cut.records.length)
    }
    // Elsewhere than the batch ends where somebody else folds into the same generation, or the store lost its tail.
    const stands = verdict?.seekTo ?? next
    folded[batch.partition] = stands
    limits.reached(batch.partition, stands)
    if (stands !== batch.next) return { seekTo: stands }
  }
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: config.updater.maxBatchRecords,
    startAt: ({ partition }) => folded[partition] ?? null,
    onError,
    onBatch,
  })
  const foldTo = async (partition: number, position: number): Promise<void> => {
    if ((folded[partition] ?? 0) < position) await limits.raise(partition, position)
  }

  try {
    const stored = await store.positions(oldScope, partitions, { signal })
    await Promise.all(partitions.map((partition) => foldTo(partition, placeOf(stored[partition]))))
    const tally = createTally(family === 'user' ? plainUser : (value) => value)
    for (const partition of partitions) {
      for (const scanned of [oldScope, freshScope]) {
        for await (const page of store.scan(scanned, partition, { signal })) {
          for (let first = 0; first < page.length; first += pageKeys) {
            const asked = page.slice(first, first + pageKeys).map(({ key }) => key)
            const keys = asked.filter((key) => !tally.knows(nameOf(partition, key)))
            if (keys.length === 0) continue
            // Yield to the event loop, so that other work of the process continues.
            await options.clock.sleep(0)
            const before = await store.read(oldScope, partition, keys, { signal })
            await foldTo(partition, placeOf(before.position))
            const after = await store.read(freshScope, partition, keys, { signal })
            if (placeOf(after.position) !== placeOf(before.position)) continue
            keys.forEach((key, row) => {
              tally.add(nameOf(partition, key), before.values[row] ?? null, after.values[row] ?? null)
            })
          }
        }
      }
    }
    // Fold what arrived during the comparison, so that the new generation is as far as the old one at the switch.
    const last = await store.positions(oldScope, partitions, { signal })
    await Promise.all(partitions.map((partition) => foldTo(partition, placeOf(last[partition]))))
    if ((await following.refresh()).includes(topic))
      throw logReplaced(`another ${topic} was adopted during the rebuild`)
    const truncatedPartitions = partitions.filter((partition) => followed.epoch > 0 || (starts[partition] ?? 0) > 0)
    return { family, old, fresh, records, ...tally.result(), truncatedPartitions }
  } finally {
    limits.end()
    await reader.stop()
  }
}

async function folderInto(
  generation: string,
  followed: FollowedLog,
  config: UpdaterConfig,
  {
    log,
    store,
    family,
    onError,
    signal,
  }: Pick<Parameters<typeof rebuildState>[0], 'log' | 'store' | 'family' | 'onError' | 'signal'>,
): Promise<PartitionFolder<unknown>> {
  // The updater checked for a broken deployment when the records arrived.
  const past = { sendOnward: false, badAcceptedUntilMs: () => Infinity }
  const follows = { followed: () => followed, askFollowed: () => Promise.resolve() }
  const common = { log, store, config: config.updater, generation: () => generation, ...follows, ...past }
  if (family === 'pin') return createPartitionFolder({ ...common, stage: createPinStage(config.fold) })
  const erasures = createErasures({ log, store, partitions: () => 0, onError })
  await readToEnd({
    log,
    topic: 'erasures.v1',
    maxBatchRecords: config.updater.maxBatchRecords,
    onRecords: (_, records) => erasures.fold(records),
    onError,
    signal,
  })
  return createPartitionFolder({ ...common, stage: createUserStage(config.fold, erasures.erasedAtMs, null) })
}

/** The position up to which each partition may be folded. Its reader waits there. */
interface Limits {
  /** Resolves with the limit once it is above `position`. */
  above(partition: number, position: number): Promise<number>
  /** Raises the limit; resolves when the partition was folded up to it. */
  raise(partition: number, limit: number): Promise<void>
  reached(partition: number, position: number): void
  end(): void
}

function createLimits(partitions: number, signal: AbortSignal): Limits {
  const limits = new Array<number>(partitions).fill(0)
  const waiting = new Set<() => void>()
  const reached = new Array<number>(partitions).fill(0)
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  const wake = () => {
    for (const check of [...waiting]) check()
  }
  either.addEventListener('abort', wake)

  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = () => {
        if (!either.aborted && !condition()) return
        waiting.delete(check)
        if (condition()) resolve()
        else reject(either.reason as Error)
      }
      waiting.add(check)
      check()
    })

  return {
    async above(partition, position) {
      await until(() => (limits[partition] ?? 0) > position)
      return limits[partition] ?? 0
    },
    async raise(partition, limit) {
      limits[partition] = Math.max(limits[partition] ?? 0, limit)
      wake()
      await until(() => (reached[partition] ?? 0) >= limit)
    },
    reached(partition, position) {
      reached[partition] = position
      wake()
    },
    end() {
      ended.abort(new ContractError('CALL_CANCELLED', 'the rebuild has ended'))
    },
  }
}

/** Runs at most `atOnce` tasks at a time. The others wait in order of arrival. */
function createTurns(atOnce: number) {
  const waiting: (() => void)[] = []
  let free = atOnce
  return {
    async taken<T>(work: () => Promise<T>): Promise<T> {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    },
  }
}

function nameOf(partition: number, key: string): string {
  return `${partition} ${key}`
}

/** A user's value without its tail; one that is damaged as it is, which no sound one equals. */
function plainUser(value: Uint8Array): Uint8Array {
  try {
    return withoutTail(value)
  } catch (error) {
    if (!isContractError(error, 'CODEC_INVALID')) throw error
    return value
  }
}

type Compared = Pick<
  RebuildReport,
  'compared' | 'different' | 'onlyOld' | 'onlyFresh' | 'examples' | 'oldChecksum' | 'freshChecksum' | 'identical'
>

/** `plain`: the bytes that equal states share, however they came to be written. */
function createTally(plain: (value: Uint8Array) => Uint8Array): {
  knows(name: string): boolean
  add(name: string, old: Uint8Array | null, fresh: Uint8Array | null): void
  result(): Compared
} {
  const seen = new Set<string>()
  const examples: string[] = []
  let different = 0
  let onlyOld = 0
  let onlyFresh = 0
  let oldSum = 0n
  let freshSum = 0n
  const hashOf = (name: string, value: Uint8Array | null) =>
    value === null ? 0n : hash64(Buffer.concat([Buffer.from(`${name}\n`), value]))

  return {
    knows: (name) => seen.has(name),
    add(name, oldValue, freshValue) {
      if (seen.has(name) || (oldValue === null && freshValue === null)) return
      const old = oldValue === null ? null : plain(oldValue)
      const fresh = freshValue === null ? null : plain(freshValue)
      seen.add(name)
      oldSum = BigInt.asUintN(64, oldSum + hashOf(name, old))
      freshSum = BigInt.asUintN(64, freshSum + hashOf(name, fresh))
      if (old !== null && fresh !== null && Buffer.compare(old, fresh) === 0) return
      if (old === null) onlyFresh++
      else if (fresh === null) onlyOld++
      else different++
      if (examples.length < 10) examples.push(name)
    },
    result: () => ({
      compared: seen.size,
      different,
      onlyOld,
      onlyFresh,
      examples,
      oldChecksum: oldSum.toString(16).padStart(16, '0'),
      freshChecksum: freshSum.toString(16).padStart(16, '0'),
      identical: different + onlyOld + onlyFresh === 0,
    }),
  }
}
