import { orZero } from '@freshet/columns/or-zero'
import type { VectorHits, VectorSearchOptions } from '@freshet/domain/vector-index'

import { grownUint32, nextCapacity } from '@freshet/columns/growth'
import { embeddingProblem } from './embedding-problem.ts'
import type { EmbeddingErrorCode } from '../errors.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createWidthView, type WidthView } from './width-view.ts'

/** Unit vectors by pin row, with a search over them. */
export interface EmbeddingView {
  /** Vectors of the width that is searched. */
  readonly size: number
  /** The width of the searched vectors: the configured width, else the most common one; 0 while there are no vectors. */
  readonly dimensions: number
  /** Sets a pin's vector, scaled to length 1. It counts and ignores a malformed vector, so the pin keeps its old one, and returns the problem. */
  set(row: number, vector: Float32Array): EmbeddingErrorCode | null
  remove(row: number): void
  /** A view of a pin's vector, valid until the next change; null if the pin has no vector of the searched width. */
  get(row: number): Float32Array | null
  /** The `k` accepted pins of largest cosine with a unit vector; if `due` breaks the search off, the best read so far. */
  search(query: Float32Array, k: number, options: Required<VectorSearchOptions>): VectorHits
  /** Vectors that are searched, vectors of other widths, and vectors left out, by reason. */
  counts(): Readonly<Record<string, number>>
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** The most widths kept at a time; beyond that the width with the fewest vectors goes. */
const maxWidths = 4
const noHits: VectorHits = { rows: new Int32Array(0), scores: new Float32Array(0) }

/**
 * An empty view. With `dimensions` above 0 all vectors have that width. With 0 the width is agreed by the vectors
 * themselves: those of each width are kept, and the width of most of them is searched, the smaller one of two that have
 * as many. So one vector of a wrong width changes nothing, whether it comes first or last.
 */
export function createEmbeddingView({ dimensions: wanted }: { readonly dimensions: number }): EmbeddingView {
  let widths = new Map<number, WidthView>()
  // Of each row the width of its vector; 0: it has none.
  let widthOf = new Uint32Array(0)
  let searched: WidthView | null = null
  const refused = { EMBEDDING_WRONG_WIDTH: 0, EMBEDDING_NOT_FINITE: 0, EMBEDDING_ZERO_NORM: 0 }

  /** Searches the width of most vectors; the smaller one of two that have as many. */
  function agree(): void {
    searched = null
    for (const view of widths.values()) {
      if (
        searched === null ||
        view.size > searched.size ||
        (view.size === searched.size && view.dimensions < searched.dimensions)
      )
        searched = view
    }
  }

  function smallest(): WidthView | null {
    let found: WidthView | null = null
    for (const view of widths.values()) if (found === null || view.size < found.size) found = view
    return found
  }

  function openWidth(width: number): WidthView {
    const known = widths.get(width)
    if (known !== undefined) return known
    const least = widths.size >= maxWidths ? smallest() : null
    if (least !== null) {
      for (const row of least.rows()) widthOf[row] = 0
      refused.EMBEDDING_WRONG_WIDTH += least.size
      widths.delete(least.dimensions)
    }
    const made = createWidthView(width)
    widths.set(width, made)
    return made
  }

  function remove(row: number): void {
    const width = orZero(widthOf[row])
    if (width === 0) return
    widthOf[row] = 0
    const view = widths.get(width)
    view?.remove(row)
    if (view?.size === 0) widths.delete(width)
    agree()
  }

  return {
    get size() {
      return searched?.size ?? 0
    },
    get dimensions() {
      return searched?.dimensions ?? wanted
    },
    set(row, vector) {
      const problem = embeddingProblem(vector, wanted)
      if (problem !== null) {
        refused[problem]++
        return problem
      }
      if (widthOf[row] !== vector.length) remove(row)
      if (row >= widthOf.length) widthOf = grownUint32(widthOf, nextCapacity(widthOf.length, row + 1))
      openWidth(vector.length).set(row, vector)
      widthOf[row] = vector.length
      agree()
      return null
    },
    remove,
    get: (row) => (searched !== null && widthOf[row] === searched.dimensions ? searched.get(row) : null),
    search: (query, k, options) => searched?.search(query, k, options) ?? noHits,
    counts() {
      let all = 0
      for (const { size } of widths.values()) all += size
      const vectors = searched?.size ?? 0
      return { vectors, width: searched?.dimensions ?? wanted, otherWidths: all - vectors, ...refused }
    },
    bytes() {
      let bytes = widthOf.byteLength
      for (const view of widths.values()) bytes += view.bytes()
      return bytes
    },
    save(writer) {
      writer.json('widths', [...widths.keys()])
      writer.json('refused', refused)
      for (const [width, view] of widths) view.save(writer.under(`${width}`))
    },
    load(reader) {
      Object.assign(refused, reader.json('refused'))
      widths = new Map()
      widthOf = new Uint32Array(0)
      for (const width of reader.json('widths') as number[]) {
        const view = createWidthView(width)
        view.load(reader.under(`${width}`))
        for (const row of view.rows()) {
          if (row >= widthOf.length) widthOf = grownUint32(widthOf, nextCapacity(widthOf.length, row + 1))
          widthOf[row] = width
        }
        widths.set(width, view)
      }
      agree()
    },
  }
}
