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

/** The product of `width` numbers of two columns. Four sums at a time, because each addition of one sum waits for the last. */
export function dotOf(a: Float64Array, fromA: number, b: Float64Array, fromB: number, width: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < width; i += 4) {
    first += a[fromA + i]! * b[fromB + i]!
    second += a[fromA + i + 1]! * b[fromB + i + 1]!
    third += a[fromA + i + 2]! * b[fromB + i + 2]!
    fourth += a[fromA + i + 3]! * b[fromB + i + 3]!
  }
  for (; i < width; i++) first += a[fromA + i]! * b[fromB + i]!
  return first + second + (third + fourth)
}

/** Writes a row scaled to length 1, so that its blocks count equally, in float32 numbers to the same place of `into`. Returns whether the row has a block. */
export function writeWhole(values: Float32Array, width: number, row: number, into: Float64Array): boolean {
  const from = row * width
  let squares = 0
  for (let i = from; i < from + width; i++) squares += values[i]! * values[i]!
  if (squares === 0) return false
  const scale = 1 / Math.sqrt(squares)
  for (let i = from; i < from + width; i++) into[i] = Math.fround(values[i]! * scale)
  return true
}
