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

/** Collects ranks and scores of some rows. It scans everything that the sources found. */
export function foundColumns(
  { foundBy, foundBySource }: { readonly foundBy: Uint32Array; readonly foundBySource: readonly SourceColumns[] },
  rows: Int32Array,
): FoundColumns {
  const bits = new Uint32Array(rows.length)
  const slotOf = new Int16Array(foundBy.length).fill(-1)
  const next = new Int32Array(rows.length)
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    bits[i] = foundBy[row] as number
    slotOf[row] = i
    next[i] = total
    total += bitCount(bits[i] as number)
  }
  const isKnown = foundBySource.length > 0
  const ranks = new Uint16Array(isKnown ? total : 0)
  const scores = new Float32Array(ranks.length)
  for (const found of foundBySource) {
    for (let i = 0; i < found.rows.length; i++) {
      const slot = slotOf[found.rows[i] as number] as number
      if (slot < 0) continue
      const at = next[slot] as number
      ranks[at] = found.ranks === null ? i : (found.ranks[i] as number)
      scores[at] = found.scores[i] as number
      next[slot] = at + 1
    }
  }
  return { foundBy: bits, ranks, scores }
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
  return foundBy.reduce((sum, bits) => sum + bitCount(bits), 0)
}

function bitCount(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
