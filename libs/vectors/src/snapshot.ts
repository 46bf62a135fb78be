import { crc32 } from 'node:zlib'
import type { VectorIndex } from '@freshet/domain/vector-index'
import type { VectorStore } from './vector-store.ts'

/** An index that says what it holds in memory and can be written to bytes. */
export interface SavableVectorIndex extends VectorIndex {
  /** Bytes of memory held. */
  readonly bytes: number
  /** Everything in the index, for `saved` of any index of the same width; blocks for about 1 ms per 10,000 rows of 64. */
  save(): Uint8Array
}

/** What is wrong with saved bytes: not of this kind, another version, cut or changed, or for another width. */
export type SnapshotFault = 'foreign' | 'version' | 'damaged' | 'dimensions'

/** Saved bytes that can't be read; the index must be filled from its events instead. */
export interface VectorSnapshotError extends Error {
  readonly name: 'VectorSnapshotError'
  readonly fault: SnapshotFault
}

/** Rows grouped by cell, in order. */
export interface Snapshot {
  readonly rows: Int32Array
  readonly vectors: Float32Array
  /** Rows in each cell; a single cell for an index without cells. */
  readonly counts: Int32Array
}

const magic = 0x58565246
const version = 1
const headerBytes = 32
const checksumBytes = 4

/** True for an error that `readSnapshot` threw. */
export function isVectorSnapshotError(error: unknown): error is VectorSnapshotError {
  return error instanceof Error && error.name === 'VectorSnapshotError'
}

/**
 * Writes chains of a store: eight u32 (magic, version, dimensions, rows, cells, three zeros), cell sizes, row numbers,
 * vectors in f32, and a CRC-32 of all before it; little-endian.
 */
export function writeSnapshot(store: VectorStore, chains: readonly number[]): Uint8Array {
  const { size, dimensions } = store
  const total = headerBytes + 4 * (chains.length + size + size * dimensions) + checksumBytes
  const bytes = new Uint8Array(total)
  new Uint32Array(bytes.buffer, 0, 5).set([magic, version, dimensions, size, chains.length])
  const snapshot = columns(bytes, size, chains.length, dimensions)
  let i = 0
  chains.forEach((chain, cell) => {
    snapshot.counts[cell] = store.countOf(chain)
    store.eachSlot(chain, (slot) => {
      snapshot.rows[i] = store.rowAt(slot)
      snapshot.vectors.set(store.vectorAt(slot), i * dimensions)
      i++
    })
  })
  new DataView(bytes.buffer).setUint32(total - checksumBytes, crc32(bytes.subarray(0, total - checksumBytes)), true)
  return bytes
}

/** Reads what `writeSnapshot` wrote. Throws a VectorSnapshotError for anything else, cut and changed bytes included. */
export function readSnapshot(saved: Uint8Array, dimensions: number): Snapshot {
  const view = new DataView(saved.buffer, saved.byteOffset, saved.byteLength)
  if (saved.byteLength < 4 || view.getUint32(0, true) !== magic)
    throw fault('foreign', 'the bytes are not a saved vector index')
  if (saved.byteLength < headerBytes + checksumBytes) throw fault('damaged', 'the saved vector index is cut')
  const [, savedVersion, savedDimensions, size, cells] = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true))
  if (savedVersion !== version)
    throw fault('version', `the saved vector index has version ${savedVersion}, this program reads ${version}`)
  const total = headerBytes + 4 * (cells! + size! + size! * savedDimensions!) + checksumBytes
  if (saved.byteLength !== total)
    throw fault('damaged', `the saved vector index has ${saved.byteLength} bytes instead of ${total}`)
  const end = total - checksumBytes
  if (crc32(saved.subarray(0, end)) !== view.getUint32(end, true))
    throw fault('damaged', 'the saved vector index does not match its checksum')
  if (savedDimensions !== dimensions)
    throw fault('dimensions', `the saved vector index has ${savedDimensions} dimensions, the index ${dimensions}`)
  const aligned = saved.byteOffset % 4 === 0 ? saved : saved.slice()
  return columns(aligned, size!, cells!, dimensions)
}

function columns(bytes: Uint8Array, size: number, cells: number, dimensions: number): Snapshot {
  const at = bytes.byteOffset + headerBytes
  return {
    counts: new Int32Array(bytes.buffer, at, cells),
    rows: new Int32Array(bytes.buffer, at + 4 * cells, size),
    vectors: new Float32Array(bytes.buffer, at + 4 * (cells + size), size * dimensions),
  }
}

function fault(kind: SnapshotFault, message: string): VectorSnapshotError {
  return Object.assign(new Error(message), { name: 'VectorSnapshotError' as const, fault: kind })
}
