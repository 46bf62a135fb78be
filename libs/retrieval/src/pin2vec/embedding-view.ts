import type { VectorHits, VectorSearchOptions } from '@freshet/domain/vector-index'

import { grownUint8, nextCapacity } from '../columns.ts'
import { type EmbeddingErrorCode, SnapshotError } from '../errors.ts'
import type { SectionReader, SectionWriter } from '../snapshot.ts'
import { createVectorIndex } from '../vectors/adaptive-index.ts'
import { isVectorSnapshotError, readSnapshot, type SavableVectorIndex } from '../vectors/snapshot.ts'
import { normalise } from './content-map.ts'

/** Unit vectors by pin row, with a search over them. */
export interface EmbeddingView {
  readonly size: number
  /** Their width; 0 as long as it is not known. */
  readonly dimensions: number
  /** Sets a pin's vector, scaled to length 1. A malformed one is counted and left out, the pin keeps what it had; gives what is wrong with it. */
  set(row: number, vector: Float32Array): EmbeddingErrorCode | null
  remove(row: number): void
  /** A view on a pin's vector that holds until the next change; null where it has none. */
  get(row: number): Float32Array | null
  /** The `k` accepted pins of largest cosine with a unit vector; of what was read where `due` broke it off. */
  search(query: Float32Array, k: number, options: Required<VectorSearchOptions>): VectorHits
  /** Vectors held and vectors left out, by reason. */
  counts(): Readonly<Record<string, number>>
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const rowsPerChunk = 1_024
const noHits: VectorHits = { rows: new Int32Array(0), scores: new Float32Array(0) }

/** An empty view. All vectors have `dimensions`; 0: as many as the first one that comes. */
export function createEmbeddingView({ dimensions: wanted }: { readonly dimensions: number }): EmbeddingView {
  let dimensions = wanted
  let index: SavableVectorIndex | null = null
  let chunks: (Float32Array | undefined)[] = []
  let present = new Uint8Array(0)
  const refused = { EMBEDDING_WRONG_WIDTH: 0, EMBEDDING_NOT_FINITE: 0, EMBEDDING_ZERO_NORM: 0 }

  function problemOf(vector: Float32Array): EmbeddingErrorCode | null {
    if (vector.length === 0 || (dimensions > 0 && vector.length !== dimensions)) return 'EMBEDDING_WRONG_WIDTH'
    let square = 0
    for (let i = 0; i < vector.length; i++) square += (vector[i] ?? 0) ** 2
    if (!Number.isFinite(square)) return 'EMBEDDING_NOT_FINITE'
    return square > 0 ? null : 'EMBEDDING_ZERO_NORM'
  }

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
    get size() {
      return index?.size ?? 0
    },
    get dimensions() {
      return dimensions
    },
    set(row, vector) {
      const problem = problemOf(vector)
      if (problem !== null) {
        refused[problem]++
        return problem
      }
      dimensions = vector.length
      index ??= createVectorIndex({ dimensions })
      const place = put(row, vector)
      normalise(place, 0, dimensions)
      index.upsert(row, place)
      return null
    },
    remove(row) {
      if (present[row] !== 1) return
      present[row] = 0
      index?.remove(row)
    },
    get: (row) => (present[row] === 1 ? slot(row) : null),
    search: (query, k, options) => index?.search(query, k, options) ?? noHits,
    counts: () => ({ vectors: index?.size ?? 0, ...refused }),
    bytes() {
      const held = chunks.reduce((sum, chunk) => sum + (chunk?.byteLength ?? 0), 0)
      return held + present.byteLength + (index?.bytes ?? 0)
    },
    save(writer) {
      writer.json('dimensions', dimensions)
      writer.json('refused', refused)
      writer.u8('index', index?.save() ?? new Uint8Array(0))
    },
    load(reader) {
      const saved = reader.u8('index')
      dimensions = reader.json('dimensions') as number
      Object.assign(refused, reader.json('refused'))
      index = null
      chunks = []
      present = new Uint8Array(0)
      if (saved.length === 0) return
      try {
        index = createVectorIndex({ dimensions, saved })
        const { rows, vectors } = readSnapshot(saved, dimensions)
        rows.forEach((row, i) => put(row, vectors.subarray(i * dimensions, (i + 1) * dimensions)))
      } catch (error) {
        if (!isVectorSnapshotError(error)) throw error
        throw new SnapshotError('SNAPSHOT_CORRUPT', `its vectors can't be read: ${error.message}`)
      }
    },
  }
}
