/**
 * The vectors of candidates, in blocks that come from different embeddings. Each known block has length 1, an unknown one
 * is all zeros. One row of `blocks` widths together for each candidate.
 */
export interface BlockVectors {
  readonly values: Float32Array
  /** Widths of the blocks. */
  readonly blocks: readonly number[]
}

/** The width of a row. */
export function widthOf({ blocks }: Pick<BlockVectors, 'blocks'>): number {
  return blocks.reduce((sum, width) => sum + width, 0)
}

/** The mean of the cosines of the blocks that both candidates have; NaN: they have none in common. */
export function similarity({ values, blocks }: BlockVectors, a: number, b: number): number {
  const width = blocks.reduce((sum, block) => sum + block, 0)
  let [atA, atB] = [a * width, b * width]
  let sum = 0
  let common = 0
  for (const block of blocks) {
    let dot = 0
    let [hasA, hasB] = [false, false]
    for (let i = 0; i < block; i++) {
      const [x, y] = [values[atA + i]!, values[atB + i]!]
      dot += x * y
      hasA ||= x !== 0
      hasB ||= y !== 0
    }
    if (hasA && hasB) {
      sum += dot
      common++
    }
    atA += block
    atB += block
  }
  return common === 0 ? NaN : sum / common
}

/** Scales each row to length 1, so that its blocks count equally; a row without blocks stays 0. Returns new vectors. */
export function wholeVectors(given: BlockVectors): Float32Array {
  const width = widthOf(given)
  const values = given.values.slice()
  for (let from = 0; from < values.length; from += width) {
    let squares = 0
    for (let i = from; i < from + width; i++) squares += values[i]! * values[i]!
    if (squares === 0) continue
    const scale = 1 / Math.sqrt(squares)
    for (let i = from; i < from + width; i++) values[i] = values[i]! * scale
  }
  return values
}
