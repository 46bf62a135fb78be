import { offer, startCandidates, threshold } from './candidates'
import { encodeQuery, slack } from './coding'
import { sixteenScores } from './dots'
import { BLOCK_ROWS, CODES, ERROR_BITS, LINE, NEXT, SCALES, errorStep, width } from './layout'

/** Room for the scores of a block. */
const scores: usize = memory.data(256, 16)

let middle: f32 = 0
let deviations: f64 = 0
let fetched: i32 = 0

/** Starts a search for the `k` best rows for the query that the host wrote; `filter` ≠ 0 asks `accept` for each that may enter. */
export function begin(k: i32, filter: i32): void {
  startCandidates(k, filter != 0)
  deviations = 0
  encodeQuery()
}

/**
 * Scans the `count` rows of a chain of blocks, all full but the last, and gives the block after them; the squared
 * distances of their scores to `mean` are added up.
 */
export function scan(block: usize, count: i32, mean: f32): usize {
  middle = mean
  while (count > 0) {
    const n = min(count, BLOCK_ROWS)
    fetch(block, CODES + <usize>(((n + 15) & ~15) * width))
    scanBlock(block, n)
    block = <usize>load<u32>(block, NEXT)
    count -= n
  }
  return block
}

/** Sum of squared distances of scanned scores to the means given, whole groups of four rows only. */
export function spread(): f64 {
  return deviations
}

/**
 * Asks for all cache lines of a range before any is worked on. The work on a row is so long that few rows' loads fit into
 * the processor's window at once; without this a scan of what the cache lacks takes twice the time of the memory.
 */
function fetch(from: usize, bytes: usize): void {
  let bits = 0
  for (const end = from + bytes; from < end; from += LINE) bits |= load<i32>(from)
  // Kept, so that the loads are.
  fetched = bits
}

/**
 * Scores of all rows of a block first, then the offers, by a mask without a branch for each row: a branch that is guessed
 * wrongly holds up all that is on its way from memory.
 */
function scanBlock(block: usize, n: i32): void {
  const slacks = f32x4.splat(slack * errorStep)
  const errorBits = i32x4.splat(ERROR_BITS)
  const middles = f32x4.splat(middle)
  const limit = f32x4.splat(threshold)
  let squares = f32x4.splat(0)
  let above: u64 = 0
  let codes = block + CODES
  for (let from = 0; from < n; from += 16) {
    const column = block + ((<usize>from) << 2)
    const out = scores + ((<usize>from) << 2)
    sixteenScores(codes, column + SCALES, out)
    codes += (<usize>width) << 4
    for (let i = 0; i < 16; i += 4) {
      const at = (<usize>i) << 2
      const score = v128.load(out + at)
      const scale = v128.load(column + at, SCALES)
      const steps = f32x4.convert_i32x4_s(v128.and(scale, errorBits))
      const margin = f32x4.mul(f32x4.mul(slacks, steps), scale)
      const upper = f32x4.add(score, margin)
      const shift = <u64>(from + i)
      above |= (<u64>i32x4.bitmask(f32x4.ge(upper, limit))) << shift
      if (from + i + 4 > n) continue
      const deviation = f32x4.sub(score, middles)
      squares = f32x4.add(squares, f32x4.mul(deviation, deviation))
    }
  }
  deviations += <f64>(
    (f32x4.extract_lane(squares, 0) +
      f32x4.extract_lane(squares, 1) +
      f32x4.extract_lane(squares, 2) +
      f32x4.extract_lane(squares, 3))
  )
  // What lies past the last row is of rows that went.
  const after = <u64>n
  if (n < BLOCK_ROWS) above &= ~((<u64>-1) << after)
  for (; above != 0; above &= above - 1) {
    const slot = <i32>ctz(above)
    const column = (<usize>slot) << 2
    const score = load<f32>(scores + column)
    const scale = load<u32>(block + column, SCALES)
    offer(block, slot, score, slack * errorStep * <f32>(scale & ERROR_BITS) * reinterpret<f32>(scale))
  }
}
