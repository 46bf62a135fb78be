import { noHeaders } from '@freshet/contracts/headers'
import type {
  EventLog,
  LogBatch,
  LogReader,
  LogRecord,
  NewRecord,
  Position,
  TopicPartition,
  ViewReaderOptions,
} from '@freshet/contracts/ports/event-log'
import type { Random } from '@freshet/domain/clock'
import { partitionOf } from '@freshet/domain/partition'
import { SimulatedFault, type Scheduler, type SimProcess } from './scheduler.ts'

/** The simulated log: what all processes share. */
export interface SimLog {
  readonly partitions: number
  /** The records of a partition; positions are sparse. */
  records(topic: string, partition: number): readonly LogRecord[]
  end(topic: string, partition: number): number
  /** What the log of a topic calls itself. */
  id(topic: string): string
  /** How often a topic was made again. */
  epoch(topic: string): number
  /** Loses a topic and makes it again, empty, under the same name. */
  recreate(topic: string): void
  /** Records of the logs before this one, with the number of theirs. */
  lost(topic: string, partition: number): readonly (LogRecord & { readonly epoch: number })[]
  /** A batch of any length, sometimes empty; it ends right after its last record or, as on a real log, somewhat later. null: there is nothing yet. */
  cut(at: TopicPartition, from: number): LogBatch | null
  /** Appends at once, as the generator of events does. */
  write(topic: string, records: readonly NewRecord[]): readonly Position[]
  /** The log as one process sees it: its appends may be refused, half done, or the last thing it does. */
  seenBy(process: SimProcess, scheduler: Scheduler): EventLog
}

/** An empty log. Of an append that is refused, any of its partitions may have been written all the same. */
export function createSimLog(partitions: number, random: Random): SimLog {
  const topics = new Map<string, LogRecord[][]>()
  const ends = new Map<string, number[]>()
  const of = (topic: string): LogRecord[][] => {
    const held = topics.get(topic) ?? Array.from({ length: partitions }, () => [])
    topics.set(topic, held)
    return held
  }
  const endsOf = (topic: string): number[] => {
    const held = ends.get(topic) ?? new Array<number>(partitions).fill(0)
    ends.set(topic, held)
    return held
  }
  const unsupported = (): never => {
    throw new Error('the simulation drives readers itself')
  }
  const before = new Map<string, (LogRecord & { readonly epoch: number })[][]>()
  const epochs = new Map<string, number>()
  let appendedAtMs = 0

  const log: SimLog = {
    partitions,
    records: (topic, partition) => of(topic)[partition] ?? [],
    end: (topic, partition) => endsOf(topic)[partition] ?? 0,
    id: (topic) => `sim-${log.epoch(topic)}`,
    epoch: (topic) => epochs.get(topic) ?? 0,
    recreate(topic) {
      const epoch = log.epoch(topic)
      const kept = before.get(topic) ?? Array.from({ length: partitions }, () => [])
      of(topic).forEach((records, partition) =>
        kept[partition]?.push(...records.map((record) => ({ ...record, epoch }))),
      )
      before.set(topic, kept)
      topics.delete(topic)
      ends.delete(topic)
      epochs.set(topic, epoch + 1)
    },
    lost: (topic, partition) => before.get(topic)?.[partition] ?? [],
    cut(at, from) {
      const waiting = log.records(at.topic, at.partition).filter(({ position }) => position >= from)
      const end = log.end(at.topic, at.partition)
      if (from >= end) return null
      const records = waiting.slice(0, 1 + Math.floor(random.next() * 8))
      const following = waiting[records.length]
      const least = (records.at(-1)?.position ?? from) + 1
      const next = following !== undefined && random.next() < 0.3 ? following.position : least
      return { ...at, from, next, records, end }
    },
    write(topic, records) {
      return records.map(({ key, value, partition: wanted, headers = noHeaders }) => {
        const partition = wanted ?? partitionOf(key, partitions)
        const position = (endsOf(topic)[partition] ?? 0) + (random.next() < 0.1 ? 1 : 0)
        of(topic)[partition]?.push({ position, key, value, appendedAtMs: ++appendedAtMs, headers })
        endsOf(topic)[partition] = position + 1
        return { partition, position }
      })
    },
    seenBy: (process, scheduler) => ({
      append: (topic, records) =>
        scheduler.call(process, `append ${records.length} to ${topic}`, (fate) => {
          if (fate !== 'refused') return log.write(topic, records)
          const written = new Set(Array.from({ length: partitions }, (_, i) => i).filter(() => random.next() < 0.3))
          return log.write(
            topic,
            records.filter(({ key, partition }) => written.has(partition ?? partitionOf(key, partitions))),
          )
        }),
      partitionCount: () => Promise.resolve(partitions),
      identity: (topic) => Promise.resolve(log.id(topic)),
      starts: () => Promise.resolve(new Array<number>(partitions).fill(0)),
      ends: (topic) => Promise.resolve([...endsOf(topic)]),
      positionsAt: unsupported,
      applyTopics: unsupported,
      readGroup: unsupported,
      readAll: (options) => Promise.resolve(readAll(log, process, scheduler, options)),
      close: () => Promise.resolve(),
    }),
  }
  return log
}

/** Reads all partitions as a process does that follows a topic: what is refused it tries again. */
function readAll(log: SimLog, process: SimProcess, scheduler: Scheduler, options: ViewReaderOptions): LogReader {
  let stopped = false
  const { signal } = new AbortController()
  const read = async (at: TopicPartition): Promise<void> => {
    let position = options.startAt(at) ?? 0
    while (!stopped) {
      try {
        const what = `poll ${at.topic}/${at.partition} from ${position}`
        const batch = await scheduler.call(process, what, (fate) => (fate === 'done' ? log.cut(at, position) : null))
        if (batch === null || stopped) continue
        const verdict = await options.onBatch(batch, signal)
        position = verdict?.seekTo ?? batch.next
      } catch (error) {
        if (!(error instanceof SimulatedFault) && !stopped) throw error
      }
    }
  }
  const ended = options.topics.flatMap((topic) =>
    Array.from({ length: log.partitions }, (_, partition) => read({ topic, partition })),
  )
  for (const reading of ended) reading.catch((error: unknown) => options.onError(error as Error))
  return {
    handled: () => null,
    assigned: () => [],
    lag: () => Promise.resolve(0),
    restart: () => undefined,
    stop: async () => {
      stopped = true
      await Promise.all(ended)
    },
  }
}
