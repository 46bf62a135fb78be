/** What one source found, best first. */
export interface SourceColumns {
  readonly name: string
  /** Rows of the candidates. */
  readonly rows: Uint16Array
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
    for (let rank = 0; rank < found.rows.length; rank++) {
      const slot = slotOf[found.rows[rank] as number] as number
      if (slot < 0) continue
      const at = next[slot] as number
      ranks[at] = rank
      scores[at] = found.scores[rank] as number
      next[slot] = at + 1
    }
  }
  return { foundBy: bits, ranks, scores }
}

function bitCount(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
