import type { GraphView } from '../graph/graph-view.ts'
import type { PinFilter } from '../question.ts'
import type { Catalogue } from '../views/catalogue.ts'

/** What a request restricts its pins to, by row. */
export interface RowFilter {
  accepts(row: number): boolean
  /** Rows that include all that it accepts, some of them twice; null: more than `mostListed`, so a search finds enough by chance. */
  readonly rows: Int32Array | null
}

/** The most rows that a filter lists. A sweep looks at each of them. */
export const mostListed = 20_000

/** Makes the filter of a request. Names that the catalogue does not know match no pin. */
export function createRowFilter(
  filter: PinFilter,
  { catalogue, graph }: { readonly catalogue: Catalogue; readonly graph: GraphView | undefined },
): RowFilter {
  const topics = known(filter.topics, catalogue.topicRow)
  const creators = known(filter.creators, catalogue.creatorRow)
  const onBoards = filter.boards.length === 0 ? null : new Set(filter.boards.flatMap((id) => graph?.pinsOn(id) ?? []))
  const { createdFromMs } = filter

  function hasTopic(row: number): boolean {
    for (let i = catalogue.topicCountOf(row) - 1; i >= 0; i--)
      if (topics?.has(catalogue.topicOf(row, i)) === true) return true
    return false
  }

  function accepts(row: number): boolean {
    if (creators?.has(catalogue.creatorOf(row)) === false) return false
    if (topics !== null && !hasTopic(row)) return false
    if (onBoards?.has(row) === false) return false
    // The time of publication may be unknown, which is NaN.
    return createdFromMs === null || catalogue.createdAtMsOf(row) >= createdFromMs
  }

  return { accepts, rows: listRows({ topics, creators, onBoards, createdFromMs }, catalogue) }
}

interface Parts {
  readonly topics: ReadonlySet<number> | null
  readonly creators: ReadonlySet<number> | null
  readonly onBoards: ReadonlySet<number> | null
  readonly createdFromMs: number | null
}

/** The rows of the part with the fewest. Only the time of publication has no list: it costs a pass over its column. */
function listRows({ topics, creators, onBoards, createdFromMs }: Parts, catalogue: Catalogue): Int32Array | null {
  const parts: Part[] = []
  if (topics !== null) parts.push(partOf(topics, catalogue.byTopic))
  if (creators !== null) parts.push(partOf(creators, catalogue.byCreator))
  if (onBoards !== null) parts.push({ size: onBoards.size, read: () => Int32Array.from(onBoards) })
  const [fewest] = parts.toSorted((a, b) => a.size - b.size)
  if (fewest !== undefined && fewest.size <= mostListed) return fewest.read()
  return createdFromMs === null ? null : catalogue.createdSince(createdFromMs, mostListed)
}

interface Part {
  readonly size: number
  read(): Int32Array
}

/** The entries of some words. A list keeps old entries until it is cleaned, so their number is at most about twice `size`. */
function partOf(words: ReadonlySet<number>, lists: Catalogue['byTopic']): Part {
  const ofWords = [...words].map((word) => ({ size: lists.countOf(word), rows: lists.rowsOf(word) }))
  return {
    size: ofWords.reduce((sum, { size }) => sum + size, 0),
    read() {
      const rows = new Int32Array(ofWords.reduce((sum, each) => sum + each.rows.length, 0))
      let count = 0
      for (const each of ofWords) {
        rows.set(each.rows, count)
        count += each.rows.length
      }
      return rows
    },
  }
}

function known(names: readonly string[], rowOf: (name: string) => number): ReadonlySet<number> | null {
  return names.length === 0 ? null : new Set(names.map(rowOf).filter((row) => row >= 0))
}
