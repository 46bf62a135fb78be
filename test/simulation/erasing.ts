import type { LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createPartitionFolder } from '@freshet/feature-updater/fold-partition'
import { createUserStage } from '@freshet/feature-updater/fold-users'
import type { Updater } from '@freshet/feature-updater/updater'
import { SimulatedFault, type Scheduler, type SimProcess } from './scheduler.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'
import { simFold } from './workload.ts'

const topic = 'erasures.v1'

/** Makes a call again until it is not refused; what is no simulated fault goes on. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof SimulatedFault)) throw error
    }
  }
}

/**
 * A process reads `erasures.v1`, all partitions, as the updater does by itself where it starts its readers: the promise
 * resolves when it has taken in what was there, before which it folds nothing; afterwards it goes on reading until `over`.
 */
export async function readErasures(options: {
  readonly process: SimProcess & { readonly updater: Updater }
  readonly log: SimLog
  readonly scheduler: Scheduler
  readonly over: () => boolean
  /** Whether a read comes back without what there is, for now. */
  readonly isSlow: () => boolean
  readonly onError: (error: Error) => void
}): Promise<void> {
  const { process, log, scheduler, over, isSlow } = options
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition)
  const positions = partitions.map(() => 0)
  const ends = partitions.map((partition) => log.end(topic, partition))
  const loaded = Promise.withResolvers<undefined>()
  const look = (): void => {
    if (positions.every((position, partition) => position >= (ends[partition] ?? 0))) loaded.resolve(undefined)
  }
  const read = async (partition: number): Promise<void> => {
    while (!over()) {
      const from = positions[partition] ?? 0
      const batch = await persistently(() =>
        scheduler.call(process, `poll ${topic}/${partition} from ${from}`, (fate): LogBatch | null => {
          const records = log.records(topic, partition).filter(({ position }) => position >= from)
          const next = log.end(topic, partition)
          return fate !== 'done' || records.length === 0 || isSlow()
            ? null
            : { topic, partition, from, next, records, end: next }
        }),
      )
      if (batch === null) continue
      await persistently(() => process.updater.handleErasureBatch(batch))
      positions[partition] = batch.next
      look()
    }
  }
  look()
  for (const partition of partitions) read(partition).catch((error: unknown) => options.onError(error as Error))
  await loaded.promise
}

/** Folds all of `engagements.v1` into another generation, with every erasure known from the start, as `freshet rebuild` does. */
export async function rebuildUsers(options: {
  readonly process: SimProcess
  readonly log: SimLog
  readonly store: SimStore
  readonly scheduler: Scheduler
  readonly generation: string
  readonly erased: ReadonlyMap<string, number>
  readonly cut: (at: TopicPartition, from: number) => LogBatch | null
}): Promise<void> {
  const { process, log, scheduler, generation, erased, cut } = options
  const config = updaterConfigOf({ fold: simFold, updater: { haltMinBadRecords: 1000 } })
  const folder = createPartitionFolder({
    stage: createUserStage(config.fold, (userId) => erased.get(userId) ?? null),
    log: log.seenBy(process, scheduler),
    store: options.store.seenBy(process, scheduler),
    config: config.updater,
    generation: () => generation,
    sendOnward: false,
    badAcceptedUntilMs: () => Infinity,
  })
  for (let partition = 0; partition < log.partitions; partition++) {
    let position = 0
    for (;;) {
      const batch = cut({ topic: 'engagements.v1', partition }, position)
      if (batch === null) break
      const verdict = await persistently(() => folder.handle(batch))
      position = verdict?.seekTo ?? batch.next
    }
  }
}
