import { createHash } from 'node:crypto'
import type { AppendOptions, LogRecord, NewRecord, Position, TopicLayout } from '@freshet/contracts/ports/event-log'
import { createHeaderReader } from '../shared/log/header-bytes.ts'
import { packedTarget, tombstoneRetentionMs } from '../shared/log/layouts.ts'
import { topicMissing } from '../shared/log/errors.ts'
import type { BytesDatabase, LmdbEnvironment } from './environment.ts'
import {
  decodeRecord,
  encodeRecords,
  peekRecord,
  positionIn,
  recordKey,
  stampRecord,
  type StoredRecord,
} from './log-records.ts'

/** The partitions of a log in LMDB. Methods that write must run inside `environment.transaction`; the others read committed data. */
export interface LogStorage {
  layoutOf(topic: string): TopicLayout | null
  layouts(): readonly TopicLayout[]
  /** The topic's creation time, its identity among logs of the same name; null: an earlier version created it without one. */
  idOf(topic: string): string | null
  /** In a transaction. */
  setId(topic: string, id: string): void
  /** In a transaction. */
  setLayout(layout: TopicLayout): void
  start(topic: string, partition: number): number
  end(topic: string, partition: number): number
  /** The first position appended at or after a time, milliseconds since the epoch; the end if there is none. */
  positionAt(topic: string, partition: number, timeMs: number): number
  read(topic: string, partition: number, from: number, maxRecords: number): { records: LogRecord[]; next: number }
  /** Checks records before they are queued: throws LOG_TOPIC_MISSING, LOG_RECORD_TOO_LARGE, HEADERS_TOO_LARGE, RangeError. */
  prepare(topic: string, records: readonly NewRecord[], shared: AppendOptions['headers']): readonly PreparedRecord[]
  /** In a transaction. Appends the records of several callers, of each in its order. */
  append(
    topic: string,
    callers: readonly (readonly PreparedRecord[])[],
    nowMs: number,
  ): readonly (readonly Position[])[]
  /** In a transaction: checks at most `maxRecords` records of a partition and deletes expired ones. Returns where to continue; null: done. */
  compactSlice(layout: TopicLayout, partition: number, from: number, nowMs: number, maxRecords: number): number | null
}

/** A record that supersedes the one before of its key. */
interface Superseding {
  readonly key: Uint8Array
  readonly position: number
  readonly appendedAtMs: number
}

/** A record with its partition and encoded key. */
export interface PreparedRecord {
  readonly stored: StoredRecord
  readonly partition: number
}

/** Maximum bytes of one read, however many records are allowed. */
const maxReadBytes = 4 << 20
/** LMDB takes keys of up to 1,978 bytes; two are the partition. */
const maxIndexedKeyBytes = 1_900

/**
 * The log's databases in an environment: one per topic, for compacted topics a second one with each key's last position, for those with a
 * compaction lag a third one with the records to delete after it, and one each for layouts and bounds.
 */
export function createLogStorage(environment: LmdbEnvironment): LogStorage {
  const layoutDb = environment.database('log-layouts')
  const boundsDb = environment.database('log-bounds')
  const layouts = new Map<string, TopicLayout>()
  const headers = createHeaderReader()
  for (const { key, value } of layoutDb.getRange()) {
    layouts.set(Buffer.from(key).toString(), JSON.parse(Buffer.from(value).toString()) as TopicLayout)
  }
  const recordsOf = (topic: string): BytesDatabase => environment.database(`log.${topic}`)
  const lastOf = (topic: string): BytesDatabase => environment.database(`log-last.${topic}`)
  /** By the key of the record that superseded: when that was appended, f64, and the key of the superseded record. */
  const supersededOf = (topic: string): BytesDatabase => environment.database(`log-superseded.${topic}`)

  const boundsKey = (topic: string, partition: number) => Buffer.from(`${topic}/${partition}`)
  const idKey = (topic: string) => Buffer.from(`${topic}#id`)
  function boundsOf(topic: string, partition: number): { start: number; end: number } {
    const bytes = boundsDb.get(boundsKey(topic, partition))
    if (bytes === undefined) return { start: 0, end: 0 }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return { start: view.getFloat64(0), end: view.getFloat64(8) }
  }
  function setBounds(topic: string, partition: number, start: number, end: number): void {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setFloat64(0, start)
    view.setFloat64(8, end)
    void boundsDb.put(boundsKey(topic, partition), bytes)
  }

  const rangeOf = (topic: string, partition: number, from: number, to: number) =>
    environment.scan(`log.${topic}`).getRange({ start: recordKey(partition, from), end: recordKey(partition, to) })

  /** In a compacted topic a later record of a key deletes the earlier one: in the same transaction, or after the topic's compaction lag. */
  function supersede({ name, minCompactionLagMs = 0 }: TopicLayout, partition: number, by: Superseding): void {
    const lastDb = lastOf(name)
    const indexKey = lastKey(partition, by.key)
    const before = lastDb.get(indexKey)
    const after = recordKey(partition, by.position)
    if (before !== undefined && minCompactionLagMs === 0) void recordsOf(name).remove(before)
    else if (before !== undefined) {
      const entry = Buffer.alloc(8 + before.length)
      entry.writeDoubleBE(by.appendedAtMs, 0)
      entry.set(before, 8)
      void supersededOf(name).put(after, entry)
    }
    void lastDb.put(indexKey, after)
  }

  /** Deletes at most `maxRecords` superseded records whose lag has passed. Whether there are more. */
  function deleteSuperseded(layout: TopicLayout, partition: number, nowMs: number, maxRecords: number): boolean {
    const { name, minCompactionLagMs = 0 } = layout
    if (minCompactionLagMs === 0) return false
    const end = recordKey(partition, boundsOf(name, partition).end)
    const due: { readonly entry: Uint8Array; readonly record: Uint8Array }[] = []
    for (const { key: entry, value } of supersededOf(name).getRange({ start: recordKey(partition, 0), end })) {
      const stored = Buffer.from(value)
      // Times grow with positions.
      if (stored.readDoubleBE(0) > nowMs - minCompactionLagMs) break
      due.push({ entry, record: stored.subarray(8) })
      if (due.length === maxRecords) break
    }
    for (const { entry, record } of due) {
      void recordsOf(name).remove(record)
      void supersededOf(name).remove(entry)
    }
    return due.length === maxRecords
  }

  return {
    layoutOf: (topic) => layouts.get(topic) ?? null,
    layouts: () => [...layouts.values()],
    idOf(topic) {
      const bytes = boundsDb.get(idKey(topic))
      return bytes === undefined ? null : Buffer.from(bytes).toString()
    },
    setId(topic, id) {
      void boundsDb.put(idKey(topic), Buffer.from(id))
    },

    setLayout(layout) {
      const before = layouts.get(layout.name)
      void layoutDb.put(Buffer.from(layout.name), Buffer.from(JSON.stringify(layout)))
      layouts.set(layout.name, layout)
      if (before === undefined || before.cleanup === layout.cleanup || layout.cleanup === 'delete') return
      for (let partition = 0; partition < layout.partitions; partition++) {
        const { start, end } = boundsOf(layout.name, partition)
        for (const { key, value } of [...rangeOf(layout.name, partition, start, end)]) {
          supersede(layout, partition, { ...peekRecord(value), position: positionIn(key) })
        }
      }
    },

    start: (topic, partition) => boundsOf(topic, partition).start,
    end: (topic, partition) => boundsOf(topic, partition).end,

    positionAt(topic, partition, timeMs) {
      const { start, end } = boundsOf(topic, partition)
      // Positions are sparse: each step looks at the first record at or after the middle.
      let [low, high] = [start, end]
      while (low < high) {
        const middle = Math.floor((low + high) / 2)
        const [first] = rangeOf(topic, partition, middle, high)
        if (first === undefined || peekRecord(first.value).appendedAtMs >= timeMs) high = middle
        else low = positionIn(first.key) + 1
      }
      return low
    },

    read(topic, partition, from, maxRecords) {
      const { end } = boundsOf(topic, partition)
      const records: LogRecord[] = []
      let bytes = 0
      for (const { key, value } of rangeOf(topic, partition, from, end)) {
        const position = positionIn(key)
        records.push(decodeRecord(position, value, headers))
        bytes += value.length
        if (records.length >= maxRecords || bytes >= maxReadBytes) return { records, next: position + 1 }
      }
      return { records, next: end }
    },

    prepare(topic, records, shared) {
      const layout = layouts.get(topic)
      if (layout === undefined) throw topicMissing(topic)
      const stored = encodeRecords(records, shared)
      return records.map(({ value, partition }, at) => {
        const own = stored[at] as StoredRecord
        const { key, headers } = own
        return { stored: own, partition: packedTarget({ key, value, partition, headers }, topic, layout) }
      })
    },

    append(topic, callers, nowMs) {
      const layout = layouts.get(topic)
      const compacted = layout?.cleanup === 'compact' ? layout : null
      const database = recordsOf(topic)
      const bounds = new Map<number, { start: number; end: number }>()
      const append = ({ stored, partition }: PreparedRecord): Position => {
        let at = bounds.get(partition)
        if (at === undefined) bounds.set(partition, (at = boundsOf(topic, partition)))
        const position = at.end++
        stampRecord(stored, nowMs)
        void database.put(recordKey(partition, position), stored.bytes)
        if (compacted !== null) supersede(compacted, partition, { key: stored.key, position, appendedAtMs: nowMs })
        return { partition, position }
      }
      const positions = callers.map((records) => records.map(append))
      // Last, so that records of a failed append lie beyond the end and are overwritten.
      for (const [partition, { start, end }] of bounds) setBounds(topic, partition, start, end)
      return positions
    },

    compactSlice(layout, partition, from, nowMs, maxRecords) {
      const { name, cleanup, retentionMs } = layout
      const { start, end } = boundsOf(name, partition)
      const oldestMs = retentionMs === null ? -Infinity : nowMs - retentionMs
      const oldestRemovalMs = cleanup === 'compact' ? nowMs - tombstoneRetentionMs(layout) : -Infinity
      if (oldestMs === -Infinity && oldestRemovalMs === -Infinity) return null
      // First, so that no record comes back when the removal that superseded it goes.
      if (cleanup === 'compact' && deleteSuperseded(layout, partition, nowMs, maxRecords)) return from
      let seen = 0
      let newStart = start
      let next: number | null = null
      const gone: { readonly stored: Uint8Array; readonly key: Uint8Array }[] = []
      for (const { key: stored, value } of rangeOf(name, partition, Math.max(from, start), end)) {
        const { appendedAtMs, key, isRemoval } = peekRecord(value)
        const expired = appendedAtMs < oldestMs
        // Times grow with positions: after the first unexpired record only tombstones need a check.
        if (!expired && cleanup === 'delete') break
        if (seen++ >= maxRecords) {
          next = positionIn(stored)
          break
        }
        if (expired) newStart = positionIn(stored) + 1
        if (expired || (isRemoval && appendedAtMs < oldestRemovalMs)) gone.push({ stored, key })
      }
      for (const { stored, key } of gone) {
        void recordsOf(name).remove(stored)
        if (cleanup !== 'compact') continue
        const indexKey = lastKey(partition, key)
        const last = lastOf(name).get(indexKey)
        if (last !== undefined && positionIn(last) === positionIn(stored)) void lastOf(name).remove(indexKey)
      }
      if (newStart > start) setBounds(name, partition, newStart, end)
      return next
    },
  }
}

function lastKey(partition: number, key: Uint8Array): Uint8Array {
  const short = key.length <= maxIndexedKeyBytes ? key : createHash('sha256').update(key).digest()
  const bytes = new Uint8Array(2 + short.length)
  new DataView(bytes.buffer).setUint16(0, partition)
  bytes.set(short, 2)
  return bytes
}
