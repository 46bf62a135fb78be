import type { VectorHits, VectorSearchOptions } from '@freshet/domain/vector-index'

import { grownUint8, nextCapacity } from '@freshet/columns/growth'
import { SnapshotError } from '@freshet/columns/errors'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createVectorIndex } from '@freshet/vectors/adaptive-index'
import { isVectorSnapshotError, readSnapshot, type SavableVectorIndex } from '@freshet/vectors/snapshot'
import { normalise } from '@freshet/embeddings/content-map'

/** Unit vectors of one width by pin row, with a search over them. */
export interface WidthView {
  readonly dimensions: number
  readonly size: number
  /** Sets a pin's vector of the right width, finite and not zero, scaled to length 1. */
  set(row: number, vector: Float32Array): void
  remove(row: number): void
  /** A view on the vector of a pin that has one; it holds until the next change. */
  get(row: number): Float32Array
  rows(): number[]
  search(query: Float32Array, k: number, options: VectorSearchOptions): VectorHits
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const rowsPerChunk = 1_024

/** No vectors. */
export function createWidthView(dimensions: number): WidthView {
  let index: SavableVectorIndex = createVectorIndex({ dimensions })
  let chunks: (Float32Array | undefined)[] = []
  let present = new Uint8Array(0)

  function slot(row: number): Float32Array {
    const chunk = (chunks[Math.floor(row / rowsPerChunk)] ??= new Float32Array(rowsPerChunk * dimensions))
    const at = (row % rowsPerChunk) * dimensions
    return chunk.subarray(at, at + dimensions)
  }

  function put(row: number, vector: Float32Array): Float32Array {
    if (row >= present.length) present = grownUint8(present, nextCapacity(present.length, row + 1))
    present[row] = 1
    const place = slot(row)
    place.set(vector)
    return place
  }

  return {
    dimensions,
    get size() {
      return index.size
    },
    set(row, vector) {
      const place = put(row, vector)
      normalise(place, 0, dimensions)
      index.upsert(row, place)
    },
    remove(row) {
      if (present[row] !== 1) return
      present[row] = 0
      index.remove(row)
    },
    get: slot,
    rows() {
      const rows: number[] = []
      for (let row = 0; row < present.length; row++) if (present[row] === 1) rows.push(row)
      return rows
    },
    search: (query, k, options) => index.search(query, k, options),
    bytes() {
      const held = chunks.reduce((sum, chunk) => sum + (chunk?.byteLength ?? 0), 0)
      return held + present.byteLength + index.bytes
    },
    save(writer) {
      writer.u8('index', index.save())
    },
    load(reader) {
      const saved = reader.u8('index')
      chunks = []
      present = new Uint8Array(0)
      try {
        index = createVectorIndex({ dimensions, saved })
        const { rows, vectors } = readSnapshot(saved, dimensions)
        rows.forEach((row, i) => put(row, vectors.subarray(i * dimensions, (i + 1) * dimensions)))
      } catch (error) {
        if (!isVectorSnapshotError(error)) throw error
        throw new SnapshotError('SNAPSHOT_CORRUPT', `the vectors of the snapshot cannot be read: ${error.message}`)
      }
    },
  }
}
