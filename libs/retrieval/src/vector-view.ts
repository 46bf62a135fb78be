import type { Catalogue } from './catalogue.ts'
import { grownFloat32, grownUint8, nextCapacity } from './columns.ts'
import type { EmbeddingErrorCode } from './errors.ts'
import type { Hits } from './score-board.ts'
import { selectorInto } from './score-board.ts'
import type { SectionReader, SectionWriter } from './snapshot.ts'
import { createVectorIndex } from './vectors/adaptive-index.ts'
import type { SavableVectorIndex } from './vectors/snapshot.ts'

/** What is wrong with a vector on its own; null where nothing is. */
export function vectorProblem(vector: Float32Array): EmbeddingErrorCode | null {
  let norm = 0
  for (const value of vector) norm += value * value
  if (!Number.isFinite(norm)) return 'EMBEDDING_NOT_FINITE'
  return norm === 0 ? 'EMBEDDING_ZERO_NORM' : null
}

/** Vectors of pins by row, scaled to length 1, with a search among them. The first vector sets the width. */
export interface VectorView {
  readonly size: number
  /** 0 before the first vector. */
  readonly dimensions: number
  /** Vectors refused so far. */
  readonly refused: number
  /** Takes a vector, or gives the code of what is wrong with it; then the row keeps what it had. */
  put(row: number, vector: Float32Array): EmbeddingErrorCode | null
  remove(row: number): void
  has(row: number): boolean
  /** Cosine of two rows' vectors; both must have one. */
  cosine(a: number, b: number): number
  /** Fills `hits` with the rows nearest to a row, best first, scores their cosines; empty where the row has no vector. */
  near(row: number, accept: (row: number) => boolean, hits: Hits): void
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** An empty view. */
export function createVectorView(catalogue: Catalogue): VectorView {
  let index: SavableVectorIndex | undefined
  let dimensions = 0
  let vectors = new Float32Array(0)
  let held = new Uint8Array(0)
  let refused = 0
  let query = new Float32Array(0)

  function put(row: number, vector: Float32Array): EmbeddingErrorCode | null {
    const problem = dimensions !== 0 && vector.length !== dimensions ? 'EMBEDDING_WRONG_WIDTH' : vectorProblem(vector)
    if (problem !== null) {
      refused++
      return problem
    }
    if (index === undefined) {
      dimensions = vector.length
      index = createVectorIndex({ dimensions })
      query = new Float32Array(dimensions)
    }
    if (row >= held.length) {
      const capacity = nextCapacity(held.length, row + 1)
      held = grownUint8(held, capacity)
      vectors = grownFloat32(vectors, capacity * dimensions)
    }
    let norm = 0
    for (const value of vector) norm += value * value
    const scale = 1 / Math.sqrt(norm)
    for (let i = 0; i < dimensions; i++) query[i] = (vector[i] ?? 0) * scale
    vectors.set(query, row * dimensions)
    held[row] = 1
    index.upsert(row, query)
    return null
  }

  return {
    get size() {
      return index?.size ?? 0
    },
    get dimensions() {
      return dimensions
    },
    get refused() {
      return refused
    },
    put,
    remove(row) {
      if (held[row] !== 1) return
      held[row] = 0
      index?.remove(row)
    },
    has: (row) => held[row] === 1,
    cosine(a, b) {
      let sum = 0
      for (let i = 0; i < dimensions; i++)
        sum += (vectors[a * dimensions + i] ?? 0) * (vectors[b * dimensions + i] ?? 0)
      return sum
    },
    near(row, accept, hits) {
      const best = selectorInto(catalogue, hits.rows.length, hits)
      if (held[row] === 1 && index !== undefined) {
        query.set(vectors.subarray(row * dimensions, (row + 1) * dimensions))
        const found = index.search(query, hits.rows.length, (other) => other !== row && accept(other))
        for (let i = 0; i < found.rows.length; i++) best.offer(found.rows[i] ?? 0, found.scores[i] ?? 0, always)
      }
      best.finish()
    },
    bytes: () => vectors.byteLength + held.byteLength + (index?.bytes ?? 0),
    save(writer) {
      const rows: number[] = []
      for (let row = 0; row < held.length; row++) if (held[row] === 1) rows.push(row)
      const packed = new Float32Array(rows.length * dimensions)
      rows.forEach((row, i) => packed.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions))
      writer.json('dimensions', dimensions)
      writer.i32('rows', Int32Array.from(rows))
      writer.f32('vectors', packed)
    },
    load(reader) {
      index = undefined
      dimensions = 0
      vectors = new Float32Array(0)
      held = new Uint8Array(0)
      refused = 0
      const width = reader.json('dimensions') as number
      const packed = reader.f32('vectors')
      reader.i32('rows').forEach((row, i) => put(row, packed.subarray(i * width, (i + 1) * width)))
    },
  }
}

function always(): boolean {
  return true
}
