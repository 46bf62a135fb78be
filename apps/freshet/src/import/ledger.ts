import type { LmdbEnvironment } from '@freshet/adapters/lmdb/environment'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { eventHash, scanBytes, type EventHash } from './event-bytes.ts'
import { createKeySet } from '@freshet/columns/key-set'

/**
 * Records which events a data folder has, 8 bytes each, permanently, so that a second import adds nothing twice even after
 * months. It is a fold over `engagements.v1`: the next import reads from the log what a killed import appended.
 */
export interface Ledger {
  has(id: EventHash): boolean
  readonly size: () => number
  /** Adds the ids of events that are in the log, and saves that the ledger covers the log up to `ends`. */
  keep(ids: readonly EventHash[], ends: readonly number[]): Promise<void>
}

const topic = 'engagements.v1'
const endsKey = Buffer.from('ends')
/** Number of ids under one key. */
const idsPerChunk = 50_000

/** Opens the ledger of a data folder and brings it up to the log's present end. */
export async function openLedger(
  environment: LmdbEnvironment,
  log: EventLog,
  options: { readonly onError: (error: Error) => void; readonly signal: AbortSignal },
): Promise<Ledger> {
  const database = environment.database('import-ledger')
  const known = createKeySet()
  let chunks = 0
  for (const { key, value } of database.getRange({ start: chunkKey(0), end: chunkKey(0xffffffff) })) {
    const ids = new Uint32Array(new Uint8Array(value).buffer)
    for (let at = 0; at < ids.length; at += 2) known.add(ids[at + 1]!, ids[at]!)
    chunks = Buffer.from(key).readUInt32BE(1) + 1
  }

  const keep = (ids: readonly EventHash[], ends: readonly number[]): Promise<void> => {
    const fresh = ids.filter(({ low, high }) => known.add(high, low))
    const first = chunks
    chunks += Math.ceil(fresh.length / idsPerChunk)
    return environment.transaction(() => {
      for (let chunk = first; chunk < chunks; chunk++) {
        const ids = fresh.slice((chunk - first) * idsPerChunk, (chunk - first + 1) * idsPerChunk)
        const column = Uint32Array.from(ids.flatMap(({ low, high }) => [low, high]))
        void database.put(chunkKey(chunk), new Uint8Array(column.buffer))
      }
      void database.put(endsKey, new Uint8Array(Float64Array.from(ends).buffer))
    })
  }

  const stored = database.get(endsKey)
  const starts = stored === undefined ? [] : [...new Float64Array(new Uint8Array(stored).buffer)]
  const ends = await log.ends(topic, options)
  if (ends.some((end, partition) => end > (starts[partition] ?? 0))) {
    const found: EventHash[] = []
    await readToEnd({
      log,
      topic,
      maxBatchRecords: 10_000,
      startAt: (partition) => starts[partition] ?? null,
      onRecords: (_partition, records) => found.push(...records.flatMap(toEventHashes)),
      ...options,
    })
    await keep(found, ends)
  }
  return { has: ({ low, high }) => known.has(high, low), size: known.size, keep }
}

/** The hash of the event in a record; empty: the record is a tombstone or cannot be read. */
function toEventHashes({ value }: LogRecord): EventHash[] {
  if (value === null) return []
  try {
    return [eventHash(scanBytes(value))]
  } catch {
    return []
  }
}

function chunkKey(chunk: number): Buffer {
  const key = Buffer.alloc(5)
  key.write('c', 0)
  key.writeUInt32BE(chunk, 1)
  return key
}
