import {
  CODES,
  ERROR_BITS,
  SCALES,
  SECTION,
  VECTORS,
  errorStep,
  idsAt,
  offsets,
  query,
  queryCodes,
  width,
} from './layout'

/** Residual of the query relative to its length that the rows' errors are made for; coarser queries widen all bounds. */
const QUERY_RESIDUAL: f64 = 0.008
/** Covers the rounding of f32 arithmetic and what error bits add to a scale, relative to |q|·|x|. */
const ROUNDING: f64 = 0.00014
/** Nothing is coded finer than this, so that scales stay ordinary numbers. */
const FINEST: f64 = 1e-30

const MOST_ROW: f64 = 63
const MOST_QUERY: f64 = 127
/**
 * A lane of 16 bits adds the products of 32 dimensions. With codes of these lengths before rounding (at most 2.83 more
 * after it) the sum can't exceed 147 · 221 < 2^15, and what it passes on the way wraps back and forth.
 */
const LONGEST_ROW: f64 = 144
const LONGEST_QUERY: f64 = 218

/** What a code counts in units of the vector. */
export let factor: f32 = 0
/** What a row's error is multiplied by, in units of its scale. */
export let slack: f32 = 0
let norm: f64 = 0
let residual: f64 = 0

/** Codes the f32 vector of a slot into its block's columns. The vector must already be in the block's f32 area. */
export function encode(block: usize, slot: i32, id: i32): void {
  const vector = <usize>load<u32>(block, VECTORS) + ((<usize>(slot * width)) << 2)
  const column = block + ((<usize>slot) << 2)
  store<i32>(column + idsAt, id)
  const scale = encodeMean(vector, block + CODES, slot)
  if (scale == 0) {
    store<u32>(column, 0, SCALES)
    return
  }
  const error = (sqrt(residual) + (QUERY_RESIDUAL + ROUNDING) * sqrt(norm)) * (1 + 1e-6)
  const steps = <u32>ceil(error / (<f64>scale * <f64>errorStep))
  store<u32>(column, reinterpret<u32>(scale) | min(steps, ERROR_BITS), SCALES)
}

/** Codes an f32 vector as one of the rows at `codes` and returns the scale; leaves its squared length and residual behind. */
export function encodeMean(vector: usize, codes: usize, row: i32): f32 {
  const at = codesOf(codes, row)
  const scale = roundedUp(scaleOf(vector, MOST_ROW, LONGEST_ROW))
  if (scale == 0) {
    for (let i = 0; i < width; i += 4) store<u32>(at + ((<usize>i) << 4), 0x40404040)
    return 0
  }
  residual = 0
  const inverse = 1 / <f64>scale
  for (let i = 0; i < width; i++) {
    const x = <f64>load<f32>(vector + ((<usize>i) << 2))
    const code = max(min(nearest(x * inverse), MOST_ROW), -MOST_ROW)
    const d = x - code * <f64>scale
    residual += d * d
    store<u8>(at + ((<usize>(i & ~3)) << 4) + <usize>(i & 3), <u8>(<i32>code + 64))
  }
  return scale
}

/** The next larger number whose last bits are free for the error. */
function roundedUp(scale: f64): f32 {
  return reinterpret<f32>((reinterpret<u32>(<f32>scale) + 2 * ERROR_BITS) & ~ERROR_BITS)
}

/** Where a row's codes begin: 4 of its dimensions, then those of the 15 others of its group, 64 bytes on the next 4. */
function codesOf(codes: usize, row: i32): usize {
  return codes + <usize>((row >> 4) * (width << 4)) + <usize>((row & 15) << 2)
}

/** The finest scale by which a vector's codes are within bounds, 0 for a zero vector; leaves the squared length behind. */
function scaleOf(vector: usize, most: f64, longest: f64): f64 {
  let largest: f64 = 0
  let longestLane: f64 = 0
  norm = 0
  for (let from = 0; from < width; from += SECTION) {
    let first: f64 = 0
    let second: f64 = 0
    const end = min(width, from + SECTION)
    for (let i = from; i < end; i += 4) {
      const at = vector + ((<usize>i) << 2)
      const a = <f64>load<f32>(at)
      const b = <f64>load<f32>(at, 4)
      const c = <f64>load<f32>(at, 8)
      const d = <f64>load<f32>(at, 12)
      largest = max(max(max(largest, abs(a)), abs(b)), max(abs(c), abs(d)))
      first += a * a + b * b
      second += c * c + d * d
    }
    longestLane = max(longestLane, max(first, second))
    norm += first + second
  }
  residual = norm
  if (largest == 0) return 0
  return max(max(largest / most, sqrt(longestLane) / longest), FINEST)
}

/** Copies a row with all its columns from one slot to another. */
export function copy(fromBlock: usize, fromSlot: i32, toBlock: usize, toSlot: i32): void {
  const from = fromBlock + ((<usize>fromSlot) << 2)
  const to = toBlock + ((<usize>toSlot) << 2)
  store<i32>(to + idsAt, load<i32>(from + idsAt))
  store<u32>(to, load<u32>(from, SCALES), SCALES)
  copyCodes(fromBlock + CODES, fromSlot, toBlock + CODES, toSlot)
  const bytes = (<usize>width) << 2
  memory.copy(
    <usize>load<u32>(toBlock, VECTORS) + <usize>toSlot * bytes,
    <usize>load<u32>(fromBlock, VECTORS) + <usize>fromSlot * bytes,
    bytes,
  )
}

function copyCodes(fromCodes: usize, fromRow: i32, toCodes: usize, toRow: i32): void {
  const from = codesOf(fromCodes, fromRow)
  const to = codesOf(toCodes, toRow)
  const end = (<usize>width) << 4
  for (let at: usize = 0; at < end; at += 64) store<u32>(to + at, load<u32>(from + at))
}

/** Codes the query into signed 8 bits and sets what makes scores and bounds of coded dot products. */
export function encodeQuery(): void {
  const scale = scaleOf(query, MOST_QUERY, LONGEST_QUERY)
  const inverse = scale > 0 ? 1 / scale : 0
  let left: f64 = 0
  let section = offsets
  for (let from = 0; from < width; from += SECTION) {
    let first = 0
    let second = 0
    const end = min(width, from + SECTION)
    for (let i = from; i < end; i++) {
      const x = <f64>load<f32>(query + ((<usize>i) << 2))
      const code = max(min(nearest(x * inverse), MOST_QUERY), -MOST_QUERY)
      const d = x - code * scale
      left += d * d
      if ((i & 2) == 0) first += <i32>code
      else second += <i32>code
      const at = queryCodes + ((<usize>(i & ~3)) << 2) + <usize>(i & 3)
      store<i8>(at, <i8>(<i32>code))
      store<i8>(at, <i8>(<i32>code), 4)
      store<i8>(at, <i8>(<i32>code), 8)
      store<i8>(at, <i8>(<i32>code), 12)
    }
    // Rows are coded from 64 upwards; only the low 16 bits count.
    v128.store(section, i32x4.splat(((-64 * first) & 0xffff) | ((-64 * second) << 16)))
    section += 16
  }
  // |q'| ≤ |q| + |q − q'|; the rows' errors carry 0.008 |x|, so a coarser query scales them up as a whole.
  const rest = sqrt(left)
  slack = <f32>(max(sqrt(norm) + rest, rest / QUERY_RESIDUAL) * (1 + 1e-6))
  factor = <f32>scale
}
