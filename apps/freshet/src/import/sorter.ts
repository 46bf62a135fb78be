import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { EventHash } from './event-bytes.ts'

/** A record with its sort key and its place. */
export interface Sortable {
  readonly atMs: number
  /** Index of the file. */
  readonly file: number
  readonly line: number
  /** Identifies the event. */
  readonly id: EventHash
  readonly value: Uint8Array
}

/** Sorts any number of records by time. Writes records that do not fit in memory to temporary files. */
export interface Sorter {
  add(record: Sortable): Promise<void> | undefined
  readonly size: () => number
  /** All records, the oldest first; records of the same time in the order of adding. Call it once. */
  sorted(): AsyncGenerator<Sortable>
  /** Removes the temporary files. */
  close(): void
}

/** Time, file, line, both halves of the id, and the length of the value. */
const headBytes = 8 + 2 + 4 + 4 + 4 + 4
const lengthAt = 22
/** Bits of the number of a record within a run. */
const rowBits = 24n
const maxRunRecords = 1 << 24

/** A sorter that holds about `maxBytes` bytes of records in memory at most. */
export function createSorter(options: { readonly maxBytes?: number } = {}): Sorter {
  const { maxBytes = 256 << 20 } = options
  let arena = Buffer.allocUnsafe(Math.min(maxBytes, 1 << 20))
  let used = 0
  let offsets: number[] = []
  let folder: string | null = null
  const runs: string[] = []
  let size = 0

  const order = (): BigUint64Array => {
    const keys = new BigUint64Array(offsets.length)
    offsets.forEach((offset, row) => {
      keys[row] = (BigInt(arena.readDoubleLE(offset)) << rowBits) | BigInt(row)
    })
    return keys.sort()
  }

  function* inMemory(): Generator<Buffer> {
    for (const key of order()) {
      const offset = offsets[Number(key & ((1n << rowBits) - 1n))] ?? 0
      yield arena.subarray(offset, offset + headBytes + arena.readUInt32LE(offset + lengthAt))
    }
  }

  async function spill(): Promise<void> {
    folder ??= mkdtempSync(join(tmpdir(), 'freshet-import-'))
    const file = join(folder, `run-${runs.length}`)
    const stream = createWriteStream(file, { highWaterMark: 1 << 20 })
    const failed = finished(stream)
    for (const record of inMemory()) {
      if (!stream.write(Buffer.from(record))) {
        await Promise.race([once(stream, 'drain'), failed])
      }
    }
    stream.end()
    await failed
    runs.push(file)
    used = 0
    offsets = []
  }

  return {
    add({ atMs, file, line, id, value }) {
      const needed = headBytes + value.length
      if (used + needed > arena.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * arena.length, used + needed))
        arena.copy(larger, 0, 0, used)
        arena = larger
      }
      arena.writeDoubleLE(atMs, used)
      arena.writeUInt16LE(file, used + 8)
      arena.writeUInt32LE(line, used + 10)
      arena.writeUInt32LE(id.low, used + 14)
      arena.writeUInt32LE(id.high, used + 18)
      arena.writeUInt32LE(value.length, used + lengthAt)
      arena.set(value, used + headBytes)
      offsets.push(used)
      used += needed
      size++
      return used >= maxBytes || offsets.length >= maxRunRecords ? spill() : undefined
    },
    size: () => size,
    async *sorted() {
      if (runs.length === 0) {
        for (const record of inMemory()) yield read(record)
        return
      }
      await spill()
      yield* mergeRuns(runs.map(readRun))
    },
    close() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Merges sorted runs. Records of the same time come in the order of the runs. */
async function* mergeRuns(runs: readonly AsyncGenerator<Sortable>[]): AsyncGenerator<Sortable> {
  const heads = await Promise.all(runs.map(async (run) => (await run.next()).value as Sortable | undefined))
  for (;;) {
    let next = -1
    heads.forEach((head, run) => {
      if (head !== undefined && (next < 0 || head.atMs < (heads[next]?.atMs ?? 0))) next = run
    })
    const head = heads[next]
    if (head === undefined) return
    yield head
    heads[next] = (await runs[next]?.next())?.value as Sortable | undefined
  }
}

async function* readRun(file: string): AsyncGenerator<Sortable> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    let at = 0
    while (at + headBytes <= bytes.length) {
      const end = at + headBytes + bytes.readUInt32LE(at + lengthAt)
      if (end > bytes.length) break
      yield read(bytes.subarray(at, end))
      at = end
    }
    rest = bytes.subarray(at)
  }
}

function read(record: Buffer): Sortable {
  return {
    atMs: record.readDoubleLE(0),
    file: record.readUInt16LE(8),
    line: record.readUInt32LE(10),
    id: { low: record.readUInt32LE(14), high: record.readUInt32LE(18) },
    value: record.subarray(headBytes),
  }
}
