import type { EventLog, LogRecord, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import type { Random } from '@freshet/domain/clock'
import { partitionOf } from '@freshet/domain/partition'
import type { Scheduler, SimProcess } from './scheduler.ts'

/** The simulated log: what all processes share. */
export interface SimLog {
  readonly partitions: number
  /** The records of a partition; positions are sparse. */
  records(topic: string, partition: number): readonly LogRecord[]
  end(topic: string, partition: number): number
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
  let appendedAtMs = 0

  const log: SimLog = {
    partitions,
    records: (topic, partition) => of(topic)[partition] ?? [],
    end: (topic, partition) => endsOf(topic)[partition] ?? 0,
    write(topic, records) {
      return records.map(({ key, value, partition: wanted }) => {
        const partition = wanted ?? partitionOf(key, partitions)
        const position = (endsOf(topic)[partition] ?? 0) + (random.next() < 0.1 ? 1 : 0)
        of(topic)[partition]?.push({ position, key, value, appendedAtMs: ++appendedAtMs })
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
      starts: () => Promise.resolve(new Array<number>(partitions).fill(0)),
      ends: (topic) => Promise.resolve([...endsOf(topic)]),
      applyTopics: unsupported,
      readGroup: unsupported,
      readAll: unsupported,
      close: () => Promise.resolve(),
    }),
  }
  return log
}
