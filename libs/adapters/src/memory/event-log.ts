import type {
  AppendOptions,
  EventLog,
  LogRecord,
  NewRecord,
  Position,
  TopicLayout,
} from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import type { Clock } from '@freshet/domain/clock'
import { appendHeaders } from '../shared/log/header-bytes.ts'
import { checkSize, outcomeOf, targetOf, tombstoneRetentionMs } from '../shared/log/layouts.ts'
import { createLocalReaders } from '../local-log/readers.ts'
import { logClosed, topicMissing } from '../shared/log/errors.ts'
import { createSystemClock } from '../system/clock.ts'

/** An event log in memory, for tests and for evaluation within one process. */
export interface MemoryEventLog extends EventLog {
  /** Delivers all records appended so far, and those that handlers append, until nothing is left; rejects with the first error of a handler. */
  drain(): Promise<void>
  /** Applies retention and compaction; compaction also runs by itself once half of a partition is superseded. */
  compact(): void
  /** Deletes a topic and creates it again: another log under the same name. */
  recreate(topic: string): void
}

interface Partition {
  records: LogRecord[]
  start: number
  end: number
  /** The position of the last record of each key; null: the topic is not compacted. */
  last: Map<string, number> | null
  /** Compaction by itself waits for this many records. */
  compactFrom: number
}

interface Topic {
  readonly id: string
  layout: TopicLayout
  readonly partitions: readonly Partition[]
}

const compactFromRecords = 1_024

/** Creates an empty log. `clock` times records and pauses after a handler's error; default: the system's. */
export function createMemoryEventLog(options: { readonly clock?: Clock } = {}): MemoryEventLog {
  const clock = options.clock ?? createSystemClock()
  const topics = new Map<string, Topic>()
  let closed = false
  let made = 0
  const emptyTopic = (layout: TopicLayout): Topic => newTopic(layout, `memory-${made++}`)

  function topicOf(name: string): Topic {
    const topic = topics.get(name)
    if (topic === undefined) throw topicMissing(name)
    return topic
  }

  function partitionAt(name: string, partition: number): Partition {
    const found = topicOf(name).partitions[partition]
    if (found === undefined) throw new RangeError(`${name} has no partition ${partition}`)
    return found
  }

  const readers = createLocalReaders(
    {
      partitionCount: (name) => topicOf(name).partitions.length,
      start: (name, partition) => partitionAt(name, partition).start,
      end: (name, partition) => partitionAt(name, partition).end,
      read(name, partition, from, maxRecords) {
        const { records, end } = partitionAt(name, partition)
        const first = firstAtOrAfter(records, from)
        const until = first + maxRecords
        const last = until < records.length ? records[until - 1] : undefined
        return { records: records.slice(first, until), next: last === undefined ? end : last.position + 1 }
      },
    },
    clock,
  )

  function append(
    name: string,
    records: readonly NewRecord[],
    { headers: shared, finalValues = false }: AppendOptions,
  ): readonly Position[] {
    const { layout, partitions } = topicOf(name)
    const headersOf = appendHeaders(shared)
    const targets: number[] = []
    for (const record of records) {
      checkSize(record, headersOf.bytesOf(record.headers), layout)
      targets.push(targetOf(record, name, partitions.length))
    }
    const appendedAtMs = clock.now()
    const values = finalValues ? null : copiesOf(records)
    const positions = records.map(({ key, value, headers }, i): Position => {
      const partition = targets[i]!
      const into = partitions[partition]!
      const position = into.end++
      const own = values === null ? value : values[i]!
      into.records.push({ position, key, value: own, appendedAtMs, headers: headersOf.of(headers) })
      into.last?.set(key, position)
      return { partition, position }
    })
    for (const partition of new Set(targets)) {
      const { records: held, last, compactFrom } = partitionAt(name, partition)
      if (last !== null && held.length > compactFrom && held.length > 2 * last.size) {
        compactPartition(layout, partitionAt(name, partition), clock.now())
      }
      readers.appended(name, partition)
    }
    return positions
  }

  const whileOpen = async <T>(work: () => T, call?: PortCall): Promise<Awaited<T>> => {
    if (closed) throw logClosed()
    call?.signal?.throwIfAborted()
    return await work()
  }

  return {
    applyTopics: (layouts, call) =>
      whileOpen(() => {
        const outcomes = layouts.map((layout) => outcomeOf(layout, topics.get(layout.name)?.layout ?? null))
        for (const layout of layouts) {
          const existing = topics.get(layout.name)
          if (existing === undefined) topics.set(layout.name, emptyTopic(layout))
          else relayout(existing, layout)
        }
        return outcomes
      }, call),
    partitionCount: (name, call) => whileOpen(() => topicOf(name).partitions.length, call),
    identity: (name, call) => whileOpen(() => topicOf(name).id, call),
    starts: (name, call) => whileOpen(() => topicOf(name).partitions.map(({ start }) => start), call),
    ends: (name, call) => whileOpen(() => topicOf(name).partitions.map(({ end }) => end), call),
    positionsAt: (name, timeMs, call) =>
      whileOpen(
        () =>
          topicOf(name).partitions.map(
            ({ records, end }) => records.find(({ appendedAtMs }) => appendedAtMs >= timeMs)?.position ?? end,
          ),
        call,
      ),
    append: (name, records, options = {}) => whileOpen(() => append(name, records, options), options),
    readGroup: (group, call) => whileOpen(() => readers.readGroup(group), call),
    readAll: (view, call) => whileOpen(() => readers.readAll(view), call),
    async close() {
      closed = true
      await readers.stop()
    },
    drain: () => readers.idle(),
    recreate(name) {
      const topic = emptyTopic(topicOf(name).layout)
      topics.set(name, topic)
      topic.partitions.forEach((_, partition) => readers.appended(name, partition))
    },
    compact() {
      for (const { layout, partitions } of topics.values()) {
        for (const partition of partitions) compactPartition(layout, partition, clock.now())
      }
    },
  }
}

/** The values, copied into one piece of memory. One for each would cost more than the copying. */
function copiesOf(records: readonly NewRecord[]): readonly (Uint8Array | null)[] {
  let bytes = 0
  for (const { value } of records) bytes += value?.length ?? 0
  const memory = new Uint8Array(bytes)
  let at = 0
  return records.map(({ value }) => {
    if (value === null) return null
    memory.set(value, at)
    at += value.length
    return memory.subarray(at - value.length, at)
  })
}

function newTopic(layout: TopicLayout, id: string): Topic {
  const partitions = Array.from({ length: layout.partitions }, () => ({
    records: [],
    start: 0,
    end: 0,
    last: null,
    compactFrom: compactFromRecords,
  }))
  const topic: Topic = { id, layout, partitions }
  relayout(topic, layout)
  return topic
}

function relayout(topic: Topic, layout: TopicLayout): void {
  topic.layout = layout
  for (const partition of topic.partitions) {
    partition.last =
      layout.cleanup === 'compact' ? new Map(partition.records.map(({ key, position }) => [key, position])) : null
  }
}

/** Binary search: positions grow, with gaps. */
function firstAtOrAfter(records: readonly LogRecord[], position: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((records[middle]?.position ?? Infinity) < position) low = middle + 1
    else high = middle
  }
  return low
}

/** The last position of each key among the records that compaction does not leave alone: those appended up to a time. */
function settledIn(records: readonly LogRecord[], untilMs: number): ReadonlyMap<string, number> {
  const settled = new Map<string, number>()
  for (const { key, position, appendedAtMs } of records) if (appendedAtMs <= untilMs) settled.set(key, position)
  return settled
}

function compactPartition(layout: TopicLayout, partition: Partition, nowMs: number): void {
  const { last } = partition
  if (last !== null) {
    const { records } = partition
    const settled = settledIn(records, nowMs - (layout.minCompactionLagMs ?? 0))
    partition.records = records.filter(({ key, position, value, appendedAtMs }) => {
      if ((settled.get(key) ?? position) > position) return false
      if (value !== null || appendedAtMs >= nowMs - tombstoneRetentionMs(layout)) return true
      if (last.get(key) === position) last.delete(key)
      return false
    })
    partition.compactFrom = Math.max(compactFromRecords, 2 * partition.records.length)
  }
  if (layout.retentionMs === null) return
  const oldestMs = nowMs - layout.retentionMs
  const kept = partition.records.findIndex(({ appendedAtMs }) => appendedAtMs >= oldestMs)
  const dropped = partition.records.splice(0, kept < 0 ? partition.records.length : kept)
  for (const { key, position } of dropped) if (last?.get(key) === position) last.delete(key)
  if (dropped.length > 0) partition.start = partition.records[0]?.position ?? partition.end
}
