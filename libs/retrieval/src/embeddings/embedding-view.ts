import { orZero } from '@freshet/columns/or-zero'
import { grownUint8, nextCapacity } from '@freshet/columns/growth'
import type { VectorHits, VectorSearchOptions } from '@freshet/domain/vector-index'

import { embeddingProblem } from './embedding-problem.ts'
import type { EmbeddingErrorCode } from '../errors.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createWidthView, type WidthView } from './width-view.ts'

/** Unit vectors by pin row, with a search over them. */
export interface EmbeddingView {
  /** Vectors of the width and space that are searched. */
  readonly size: number
  /** The width of the searched vectors; while there are no vectors the configured width, 0: none. */
  readonly dimensions: number
  /**
   * Sets a pin's vector, scaled to length 1. `space` names the model that made it; the view compares only vectors of one space.
   * The view counts and ignores a malformed vector, so the pin keeps its old one, and returns the problem.
   */
  set(row: number, vector: Float32Array, space?: string): EmbeddingErrorCode | null
  remove(row: number): void
  /** A view of a pin's vector, valid until the next change; null if the pin has no vector of the searched width and space. */
  get(row: number): Float32Array | null
  /** The `k` accepted pins of largest cosine with a unit vector; if `due` breaks the search off, the best read so far. */
  search(query: Float32Array, k: number, options: VectorSearchOptions): VectorHits
  /** Vectors that are searched, vectors of other widths or spaces, and vectors left out, by reason. */
  counts(): Readonly<Record<string, number>>
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** The most groups of vectors kept at a time; beyond that the group with the fewest vectors goes. */
const maxGroups = 4
const noHits: VectorHits = { rows: new Int32Array(0), scores: new Float32Array(0) }

/** Vectors that can be compared: those of one width and one space. */
interface Group {
  /** 1 to `maxGroups`, as `groupIds` has it. */
  readonly id: number
  readonly space: string
  readonly view: WidthView
}

/**
 * An empty view. With `dimensions` above 0 all vectors have that width. With 0 the vectors agree on the width by themselves.
 * The view keeps the vectors of each width and space, and searches the group with the most vectors; of two equally large
 * groups it searches the one of the smaller width, then the one whose space comes first. So one vector of a wrong width
 * changes nothing, whether it comes first or last, and vectors of a new model are searched once most pins have one.
 */
export function createEmbeddingView({ dimensions: wanted }: { readonly dimensions: number }): EmbeddingView {
  let groups: Group[] = []
  // The id of the group of each row's vector; 0: the row has none.
  let groupIds = new Uint8Array(0)
  let searched: Group | null = null
  const refused = { EMBEDDING_WRONG_WIDTH: 0, EMBEDDING_NOT_FINITE: 0, EMBEDDING_ZERO_NORM: 0 }

  function agree(): void {
    searched = null
    for (const group of groups) if (searched === null || isAhead(group, searched)) searched = group
  }

  function groupOf(row: number): Group | undefined {
    const id = orZero(groupIds[row])
    return id === 0 ? undefined : groups.find((group) => group.id === id)
  }

  function assign(row: number, id: number): void {
    if (row >= groupIds.length) groupIds = grownUint8(groupIds, nextCapacity(groupIds.length, row + 1))
    groupIds[row] = id
  }

  function drop(group: Group): void {
    for (const row of group.view.rows()) groupIds[row] = 0
    groups = groups.filter((one) => one !== group)
  }

  function openGroup(dimensions: number, space: string): Group {
    const known = groups.find((one) => one.view.dimensions === dimensions && one.space === space)
    if (known !== undefined) return known
    if (groups.length >= maxGroups) {
      const least = groups.reduce((a, b) => (b.view.size < a.view.size ? b : a))
      refused.EMBEDDING_WRONG_WIDTH += least.view.size
      drop(least)
    }
    const made = { id: freeId(groups), space, view: createWidthView(dimensions) }
    groups.push(made)
    return made
  }

  function remove(row: number): void {
    const group = groupOf(row)
    if (group === undefined) return
    groupIds[row] = 0
    group.view.remove(row)
    if (group.view.size === 0) drop(group)
    agree()
  }

  return {
    get size() {
      return searched?.view.size ?? 0
    },
    get dimensions() {
      return searched?.view.dimensions ?? wanted
    },
    set(row, vector, space = '') {
      const problem = embeddingProblem(vector, wanted)
      if (problem !== null) {
        refused[problem]++
        return problem
      }
      const before = groupOf(row)
      if (before !== undefined && (before.view.dimensions !== vector.length || before.space !== space)) remove(row)
      const group = openGroup(vector.length, space)
      group.view.set(row, vector)
      assign(row, group.id)
      agree()
      return null
    },
    remove,
    get: (row) => (searched !== null && groupIds[row] === searched.id ? searched.view.get(row) : null),
    search: (query, k, options) => searched?.view.search(query, k, options) ?? noHits,
    counts() {
      const all = groups.reduce((sum, { view }) => sum + view.size, 0)
      const vectors = searched?.view.size ?? 0
      return { vectors, width: searched?.view.dimensions ?? wanted, otherWidths: all - vectors, ...refused }
    },
    bytes: () => groups.reduce((sum, { view }) => sum + view.bytes(), groupIds.byteLength),
    save(writer) {
      writer.json(
        'groups',
        groups.map(({ space, view }): SavedGroup => ({ space, dimensions: view.dimensions })),
      )
      writer.json('refused', refused)
      groups.forEach(({ view }, at) => view.save(writer.under(`${at}`)))
    },
    load(reader) {
      Object.assign(refused, reader.json('refused'))
      groupIds = new Uint8Array(0)
      groups = (reader.json('groups') as SavedGroup[]).map(({ space, dimensions }, at) => {
        const group = { id: at + 1, space, view: createWidthView(dimensions) }
        group.view.load(reader.under(`${at}`))
        for (const row of group.view.rows()) assign(row, group.id)
        return group
      })
      agree()
    },
  }
}

interface SavedGroup {
  readonly space: string
  readonly dimensions: number
}

/** The smallest id that no group has. */
function freeId(groups: readonly Group[]): number {
  let id = 1
  while (groups.some((group) => group.id === id)) id++
  return id
}

/** Whether a view searches `a` rather than `b`. */
function isAhead(a: Group, b: Group): boolean {
  if (a.view.size !== b.view.size) return a.view.size > b.view.size
  if (a.view.dimensions !== b.view.dimensions) return a.view.dimensions < b.view.dimensions
  return a.space < b.space
}
