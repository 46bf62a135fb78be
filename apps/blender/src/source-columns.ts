import { pickBits } from './pick.ts'

/** What one source found. */
export interface SourceColumns {
  readonly name: string
  /** Rows of the candidates. */
  readonly rows: Uint16Array
  /** The rank of each in the source, parallel to `rows`, 0 is the best; null: its index. */
  readonly ranks: Uint16Array | null
  /** The source's own scores, parallel to `rows`. */
  readonly scores: Float32Array
}

/** The sources that found some rows, with the rank and score in each source. */
export interface FoundColumns {
  /** For each row: bit i is set if source i found it. */
  readonly foundBy: Uint32Array
  /** One rank for each set bit: row by row, and within a row from the lowest bit. 0 is the best. Empty: not known. */
  readonly ranks: Uint16Array
  /** Parallel to `ranks`. */
  readonly scores: Float32Array
}

/** What the sources found, row by row. */
interface FoundIndex {
  /** Where the entries of each row begin; one more than there are rows. */
  readonly starts: Int32Array
  readonly ranks: Uint16Array
  readonly scores: Float32Array
}

const indexes = new WeakMap<readonly SourceColumns[], FoundIndex>()

/** Collects ranks and scores of some rows. The first call for some sources scans everything that they found. */
export function foundColumns(
  { foundBy, foundBySource }: { readonly foundBy: Uint32Array; readonly foundBySource: readonly SourceColumns[] },
  rows: Int32Array,
): FoundColumns {
  const bits = pickBits(foundBy, rows)
  if (foundBySource.length === 0) return { foundBy: bits, ranks: new Uint16Array(0), scores: new Float32Array(0) }
  let index = indexes.get(foundBySource)
  if (index === undefined) indexes.set(foundBySource, (index = indexOf(foundBy, foundBySource)))
  const { starts } = index
  let total = 0
  for (let i = 0; i < rows.length; i++) total += starts[rows[i]! + 1]! - starts[rows[i]!]!
  const ranks = new Uint16Array(total)
  const scores = new Float32Array(total)
  let to = 0
  for (let i = 0; i < rows.length; i++) {
    const end = starts[rows[i]! + 1]!
    for (let from = starts[rows[i]!]!; from < end; from++) {
      ranks[to] = index.ranks[from]!
      scores[to++] = index.scores[from]!
    }
  }
  return { foundBy: bits, ranks, scores }
}

function indexOf(foundBy: Uint32Array, foundBySource: readonly SourceColumns[]): FoundIndex {
  const starts = new Int32Array(foundBy.length + 1)
  const next = new Int32Array(foundBy.length)
  for (let row = 0; row < foundBy.length; row++) {
    next[row] = starts[row]!
    starts[row + 1] = starts[row]! + bitCount(foundBy[row]!)
  }
  const ranks = new Uint16Array(starts[foundBy.length]!)
  const scores = new Float32Array(ranks.length)
  for (const found of foundBySource) {
    for (let i = 0; i < found.rows.length; i++) {
      const at = next[found.rows[i]!]!++
      ranks[at] = found.ranks === null ? i : found.ranks[i]!
      scores[at] = found.scores[i]!
    }
  }
  return { starts, ranks, scores }
}

/** The columns of each source again, from what `foundColumns` collected of rows 0, 1, 2 …. None if the ranks are not known. */
export function sourcesOf(
  names: readonly string[],
  { foundBy, ranks, scores }: FoundColumns,
): readonly SourceColumns[] {
  if (ranks.length === 0) return []
  const counts = names.map((_, source) => foundBy.reduce((sum, bits) => sum + ((bits >>> source) & 1), 0))
  const sources = names.map((name, source) => ({
    name,
    rows: new Uint16Array(counts[source]!),
    ranks: new Uint16Array(counts[source]!),
    scores: new Float32Array(counts[source]!),
  }))
  const filled = new Uint16Array(names.length)
  let from = 0
  for (let row = 0; row < foundBy.length; row++) {
    for (let bits = foundBy[row] as number; bits !== 0; bits &= bits - 1) {
      const source = 31 - Math.clz32(bits & -bits)
      const to = sources[source] as (typeof sources)[number]
      const at = filled[source] as number
      filled[source] = at + 1
      to.rows[at] = row
      to.ranks[at] = ranks[from] as number
      to.scores[at] = scores[from++] as number
    }
  }
  return sources
}

/** Number of sources that found some rows, each row counted once for each. */
export function foundCount(foundBy: Uint32Array): number {
  let count = 0
  for (let row = 0; row < foundBy.length; row++) count += bitCount(foundBy[row]!)
  return count
}

function bitCount(bits: number): number {
  let sums = bits - ((bits >>> 1) & 0x55555555)
  sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333)
  return Math.imul((sums + (sums >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
