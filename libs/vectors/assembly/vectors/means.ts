import { encodeQuery } from './coding'
import { sixteenScores } from './dots'
import { width } from './layout'

/** Room for sixteen scores. */
const scratch: usize = memory.data(64, 16)

/**
 * Which of `count` coded means is about the nearest to the query: largest q·m − |m|²/2, the first of equals. Means are
 * read in sixteens: what lies past the last one must have an infinite half square.
 */
export function nearestMean(codes: usize, scales: usize, halves: usize, count: i32): i32 {
  encodeQuery()
  let best = 0
  let bestScore = -f32.MAX_VALUE
  for (let i = 0; i < count; i += 16) {
    const column = (<usize>i) << 2
    sixteenScores(codes, scales + column, scratch)
    codes += (<usize>width) << 4
    const limit = f32x4.splat(bestScore)
    let above = i32x4.splat(0)
    for (let at: usize = 0; at < 64; at += 16) {
      const score = f32x4.sub(v128.load(scratch + at), v128.load(halves + column + at))
      v128.store(scratch + at, score)
      above = v128.or(above, f32x4.gt(score, limit))
    }
    if (!v128.any_true(above)) continue
    for (let lane = 0; lane < 16; lane++) {
      const score = load<f32>(scratch + ((<usize>lane) << 2))
      if (score > bestScore) {
        bestScore = score
        best = i + lane
      }
    }
  }
  return best
}

/** Writes the dot product of the query of the search under way with each of `count` coded means to `out`, in sixteens. */
export function meanScores(codes: usize, scales: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i += 16) {
    const column = (<usize>i) << 2
    sixteenScores(codes, scales + column, out + column)
    codes += (<usize>width) << 4
  }
}
