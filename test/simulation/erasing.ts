import type { LogBatch } from '@freshet/contracts/ports/event-log'
import type { Updater } from '@freshet/feature-updater/updater'
import { persistently, type Scheduler, type SimProcess } from './scheduler.ts'
import type { SimLog } from './sim-log.ts'

const topic = 'erasures.v1'

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
