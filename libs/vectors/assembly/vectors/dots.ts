import { factor } from './coding'
import { SECTION, offsets, queryCodes, width } from './layout'

/** Loaded, because a compiler that knows them builds them again at each use. */
const ones: usize = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16)

/**
 * Writes the coded query's dot products with sixteen coded vectors, times their scales, to `out` (f32).
 * Sixteen rows lie interleaved, so that memory is read in order, sums stay in their lanes and only the last one is widened.
 */
export function sixteenScores(codes: usize, scales: usize, out: usize): void {
  const one = v128.load(ones)
  let a = i32x4.splat(0)
  let b = a
  let c = a
  let d = a
  let section = offsets
  let q = queryCodes
  const queryEnd = q + ((<usize>width) << 2)
  while (q < queryEnd) {
    const start = v128.load(section)
    let sumA = start
    let sumB = start
    let sumC = start
    let sumD = start
    const end = min(queryEnd, q + ((<usize>SECTION) << 2))
    for (; q < end; q += 32) {
      const x = v128.load(q)
      sumA = i16x8.add(sumA, i16x8.relaxed_dot_i8x16_i7x16_s(x, v128.load(codes)))
      sumB = i16x8.add(sumB, i16x8.relaxed_dot_i8x16_i7x16_s(x, v128.load(codes, 16)))
      sumC = i16x8.add(sumC, i16x8.relaxed_dot_i8x16_i7x16_s(x, v128.load(codes, 32)))
      sumD = i16x8.add(sumD, i16x8.relaxed_dot_i8x16_i7x16_s(x, v128.load(codes, 48)))
      const y = v128.load(q, 16)
      sumA = i16x8.add(sumA, i16x8.relaxed_dot_i8x16_i7x16_s(y, v128.load(codes, 64)))
      sumB = i16x8.add(sumB, i16x8.relaxed_dot_i8x16_i7x16_s(y, v128.load(codes, 80)))
      sumC = i16x8.add(sumC, i16x8.relaxed_dot_i8x16_i7x16_s(y, v128.load(codes, 96)))
      sumD = i16x8.add(sumD, i16x8.relaxed_dot_i8x16_i7x16_s(y, v128.load(codes, 112)))
      codes += 128
    }
    a = i32x4.add(a, i32x4.dot_i16x8_s(sumA, one))
    b = i32x4.add(b, i32x4.dot_i16x8_s(sumB, one))
    c = i32x4.add(c, i32x4.dot_i16x8_s(sumC, one))
    d = i32x4.add(d, i32x4.dot_i16x8_s(sumD, one))
    section += 16
  }
  const factors = f32x4.splat(factor)
  v128.store(out, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(a), factors), v128.load(scales)))
  v128.store(out, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(b), factors), v128.load(scales, 16)), 16)
  v128.store(out, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(c), factors), v128.load(scales, 32)), 32)
  v128.store(out, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(d), factors), v128.load(scales, 48)), 48)
}

/** The dot product of two f32 vectors of `n` components. */
export function dot(a: usize, b: usize, n: i32): f32 {
  let first = f32x4.splat(0)
  let second = f32x4.splat(0)
  let third = f32x4.splat(0)
  let fourth = f32x4.splat(0)
  const end = a + ((<usize>n) << 2)
  while (a < end) {
    first = f32x4.add(first, f32x4.mul(v128.load(a), v128.load(b)))
    second = f32x4.add(second, f32x4.mul(v128.load(a, 16), v128.load(b, 16)))
    third = f32x4.add(third, f32x4.mul(v128.load(a, 32), v128.load(b, 32)))
    fourth = f32x4.add(fourth, f32x4.mul(v128.load(a, 48), v128.load(b, 48)))
    a += 64
    b += 64
  }
  const total = f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth))
  return (
    f32x4.extract_lane(total, 0) +
    f32x4.extract_lane(total, 1) +
    (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3))
  )
}
