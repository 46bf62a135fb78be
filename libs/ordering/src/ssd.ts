import type { Penalty } from './place-softly.ts'
import { dotOf, widthOf, writeWhole, type BlockVectors } from './vectors.ts'

/** A pick whose residual is shorter than this adds no direction to the window. */
const leastResidual = 1e-3

const [unread, unknown, known] = [0, 1, 2] as const

/** Options of a diversity step. */
export interface DiversityOptions {
  /** The penalty of a candidate that adds nothing new, in the unit of utility. */
  readonly weight: number
  /** Number of places above the candidate that count. */
  readonly window: number
}

/**
 * Sliding spectrum decomposition (Huang et al., KDD 2021): a candidate is worth its utility plus γ times the length of its
 * vector's residual after Gram–Schmidt against the last `window` picks. Here the penalty is γ · (1 − that length), which gives
 * the same order. As in the paper, a pick keeps the direction that it had when it was placed, although the window has moved on.
 *
 * A candidate whose vector is not known is like no other: its penalty is 0. The squares of the products with the directions in the
 * window are kept, so each place costs one product for each candidate that is looked at.
 */
export function ssdPenalty(vectors: BlockVectors, { weight, window }: DiversityOptions): Penalty {
  const width = widthOf(vectors)
  const size = width === 0 ? 0 : vectors.values.length / width
  // Rows of length 1, each made when its candidate is first looked at. They hold float32 numbers, in a column that products read as it is.
  const whole = new Float64Array(size * width)
  const states = new Uint8Array(size)
  const directions = new Float64Array(window * width)
  const squares = new Float32Array(size * window)
  const sums = new Float32Array(size)
  // Number of directions that `sums` of a candidate contains.
  const seen = new Uint16Array(size)
  const left = new Float64Array(width)
  let placed = 0

  function isKnown(candidate: number): boolean {
    if (states[candidate] === unread)
      states[candidate] = writeWhole(vectors.values, width, candidate, whole) ? known : unknown
    return states[candidate] === known
  }

  /** Brings the sum of a candidate up to the directions in the window. */
  function update(candidate: number): void {
    let from = seen[candidate]!
    if (from < placed - window) {
      squares.fill(0, candidate * window, (candidate + 1) * window)
      sums[candidate] = 0
      from = placed - window
    }
    for (let n = from; n < placed; n++) {
      const at = candidate * window + (n % window)
      const dot = dotOf(whole, candidate * width, directions, (n % window) * width, width)
      const square = dot * dot
      sums[candidate] = sums[candidate]! + square - squares[at]!
      squares[at] = square
    }
    seen[candidate] = placed
  }

  /** The squared length of what the directions in the window leave of a candidate. */
  function residual(candidate: number): number {
    update(candidate)
    return Math.max(0, 1 - sums[candidate]!)
  }

  return {
    of: (candidate) => (isKnown(candidate) ? weight * (1 - Math.sqrt(residual(candidate))) : 0),
    place(candidate) {
      const length = isKnown(candidate) ? Math.sqrt(residual(candidate)) : 0
      const slot = placed % window
      const to = slot * width
      for (let i = 0; i < width; i++) left[i] = whole[candidate * width + i]!
      // The slot still has the direction that leaves the window now.
      for (let n = Math.max(0, placed - window); n < placed; n++) subtract(left, directions, (n % window) * width)
      let square = 0
      for (let i = 0; i < width; i++) square += left[i]! * left[i]!
      const shortest = length > leastResidual ? Math.sqrt(square) : 0
      for (let i = 0; i < width; i++)
        directions[to + i] = shortest > leastResidual ? Math.fround(left[i]! / shortest) : 0
      placed++
    },
  }
}

/** Subtracts the part of a vector that lies in a direction of length 1 or 0. */
function subtract(vector: Float64Array, directions: Float64Array, at: number): void {
  const dot = dotOf(vector, 0, directions, at, vector.length)
  for (let i = 0; i < vector.length; i++) vector[i] = Math.fround(vector[i]! - dot * directions[at + i]!)
}
