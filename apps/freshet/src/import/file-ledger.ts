import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EventHash } from './event-bytes.ts'
import { createKeySet } from '@freshet/columns/key-set'

/**
 * Which events were posted to running services: 8 bytes each in a file of this machine, so that an import that is run again
 * posts nothing twice. What is under way is noted before it is posted, so that a killed import leaves no doubt about which
 * events may or may not have arrived.
 */
export interface FileLedger {
  has(id: EventHash): boolean
  /** Notes what is about to be posted. */
  begin(ids: readonly EventHash[], nowMs: number): void
  /** Notes what of it was accepted. */
  settle(accepted: readonly EventHash[]): void
  /** What a killed import was posting, and when; null: nothing. */
  readonly doubtful: { readonly ids: readonly EventHash[]; readonly atMs: number } | null
}

/** Opens a ledger; made if missing. */
export function openFileLedger(file: string): FileLedger {
  const pending = `${file}.pending`
  mkdirSync(dirname(file), { recursive: true })
  const known = createKeySet()
  if (existsSync(file)) {
    const bytes = readFileSync(file)
    // A torn id at the end is of a write that was cut off: what it belongs to is noted as pending.
    if (bytes.length % 8 !== 0) truncateSync(file, bytes.length - (bytes.length % 8))
    for (const { low, high } of idsIn(bytes)) known.add(high, low)
  }
  const doubtful = existsSync(pending) ? doubtIn(readFileSync(pending)) : null
  return {
    has: ({ low, high }) => known.has(high, low),
    begin(ids, nowMs) {
      const head = Buffer.alloc(8)
      head.writeDoubleLE(nowMs)
      writeFileSync(pending, Buffer.concat([head, bytesOf(ids)]))
    },
    settle(accepted) {
      const fresh = accepted.filter(({ low, high }) => known.add(high, low))
      appendFileSync(file, bytesOf(fresh))
      rmSync(pending, { force: true })
    },
    doubtful,
  }
}

function doubtIn(bytes: Buffer): FileLedger['doubtful'] {
  return bytes.length < 8 ? null : { atMs: bytes.readDoubleLE(0), ids: idsIn(bytes.subarray(8)) }
}

function idsIn(bytes: Buffer): EventHash[] {
  const count = Math.floor(bytes.length / 8)
  return Array.from({ length: count }, (_, at) => ({
    low: bytes.readUInt32LE(8 * at),
    high: bytes.readUInt32LE(8 * at + 4),
  }))
}

function bytesOf(ids: readonly EventHash[]): Buffer {
  const bytes = Buffer.alloc(8 * ids.length)
  ids.forEach(({ low, high }, at) => {
    bytes.writeUInt32LE(low, 8 * at)
    bytes.writeUInt32LE(high, 8 * at + 4)
  })
  return bytes
}
