import type { GraphView } from '../graph/graph-view.ts'
import type { PinFilter } from '../question.ts'
import type { Catalogue } from '../views/catalogue.ts'

/** What a request restricts its pins to, by row. */
export interface RowFilter {
  accepts(row: number): boolean
  /** Rows that include all that it accepts, each once; null: more than `mostListed`, so a search finds enough by chance. */
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

/** The rows of the part with the fewest. Only the time of publication has no list: it costs a look at every pin. */
function listRows({ topics, creators, onBoards, createdFromMs }: Parts, catalogue: Catalogue): Int32Array | null {
  const options = [
    ...(topics === null ? [] : [{ words: topics, lists: catalogue.byTopic }]),
    ...(creators === null ? [] : [{ words: creators, lists: catalogue.byCreator }]),
  ].map(({ words, lists }) => ({
    size: [...words].reduce((sum, word) => sum + lists.countOf(word), 0),
    read: () => new Set([...words].flatMap((word) => [...lists.rowsOf(word)])),
  }))
  if (onBoards !== null) options.push({ size: onBoards.size, read: () => new Set(onBoards) })
  const [fewest] = options.toSorted((a, b) => a.size - b.size)
  if (fewest !== undefined && fewest.size <= mostListed) return Int32Array.from(fewest.read())
  return createdFromMs === null ? null : rowsSince(createdFromMs, catalogue)
}

function rowsSince(fromMs: number, catalogue: Catalogue): Int32Array | null {
  const rows = new Int32Array(mostListed)
  let count = 0
  for (let row = 0; row < catalogue.size; row++) {
    if (!(catalogue.createdAtMsOf(row) >= fromMs)) continue
    if (count === mostListed) return null
    rows[count++] = row
  }
  return rows.slice(0, count)
}

function known(names: readonly string[], rowOf: (name: string) => number): ReadonlySet<number> | null {
  return names.length === 0 ? null : new Set(names.map(rowOf).filter((row) => row >= 0))
}
