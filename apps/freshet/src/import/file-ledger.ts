import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EventHash } from './event-bytes.ts'
import { createKeySet } from '@freshet/columns/key-set'

/**
 * Records in a local file which events were posted to running services, 8 bytes each, so that a second run posts nothing
 * twice. It records events before they are posted too, so that after a killed import it is known which events may have
 * arrived.
 */
export interface FileLedger {
  has(id: EventHash): boolean
  /** Records the events that are about to be posted. */
  begin(ids: readonly EventHash[], nowMs: number): void
  /** Records which of them were accepted. */
  settle(accepted: readonly EventHash[]): void
  /** The events that a killed import was posting, and the time; null: none. */
  readonly doubtful: { readonly ids: readonly EventHash[]; readonly atMs: number } | null
}

/** Opens a ledger; creates it if it does not exist. */
export function openFileLedger(file: string): FileLedger {
  const pending = `${file}.pending`
  mkdirSync(dirname(file), { recursive: true })
  const known = createKeySet()
  if (existsSync(file)) {
    const bytes = readFileSync(file)
    // An incomplete id at the end comes from an interrupted write; the pending file has its events.
    if (bytes.length % 8 !== 0) truncateSync(file, bytes.length - (bytes.length % 8))
    for (const { low, high } of readIds(bytes)) known.add(high, low)
  }
  const doubtful = existsSync(pending) ? readDoubtful(readFileSync(pending)) : null
  return {
    has: ({ low, high }) => known.has(high, low),
    begin(ids, nowMs) {
      const head = Buffer.alloc(8)
      head.writeDoubleLE(nowMs)
      writeFileSync(pending, Buffer.concat([head, toBytes(ids)]))
    },
    settle(accepted) {
      const fresh = accepted.filter(({ low, high }) => known.add(high, low))
      appendFileSync(file, toBytes(fresh))
      rmSync(pending, { force: true })
    },
    doubtful,
  }
}

function readDoubtful(bytes: Buffer): FileLedger['doubtful'] {
  return bytes.length < 8 ? null : { atMs: bytes.readDoubleLE(0), ids: readIds(bytes.subarray(8)) }
}

function readIds(bytes: Buffer): EventHash[] {
  const count = Math.floor(bytes.length / 8)
  return Array.from({ length: count }, (_, at) => ({
    low: bytes.readUInt32LE(8 * at),
    high: bytes.readUInt32LE(8 * at + 4),
  }))
}

function toBytes(ids: readonly EventHash[]): Buffer {
  const bytes = Buffer.alloc(8 * ids.length)
  ids.forEach(({ low, high }, at) => {
    bytes.writeUInt32LE(low, 8 * at)
    bytes.writeUInt32LE(high, 8 * at + 4)
  })
  return bytes
}
