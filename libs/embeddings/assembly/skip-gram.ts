/**
 * Skip-gram with negative sampling (Mikolov et al. 2013) on one table, one pair at a time, in linear memory. A row has
 * `width` f32, a multiple of 4; beside each row stand the mean square of its gradients so far (Adagrad with one rate a
 * row), how far it has moved since it was last handed out, and whether it waits to be.
 */

let table: usize = 0
let squares: usize = 0
let moves: usize = 0
let waiting: usize = 0
let queue: usize = 0
let queueLength: u32 = 0
let recent: usize = 0
let pairs: usize = 0
let gradient: usize = 0
let sigmoid: usize = 0
let rowBytes: usize = 0
let tail: u32 = 0

/** The host tables the sigmoid from -LIMIT to LIMIT in steps of 1 / STEPS; beyond it is 0 or 1. */
const LIMIT: f32 = 8
const STEPS: f32 = 128
const EPSILON: f32 = 1e-6

/** Where the host has put the columns, the width of rows and the length of the queue. */
export function place(
  width: i32,
  tableAt: usize,
  squaresAt: usize,
  movesAt: usize,
  waitingAt: usize,
  queueAt: usize,
  queueSlots: u32,
  recentAt: usize,
  pairsAt: usize,
  gradientAt: usize,
  sigmoidAt: usize,
): void {
  rowBytes = (<usize>width) << 2
  table = tableAt
  squares = squaresAt
  moves = movesAt
  waiting = waitingAt
  queue = queueAt
  queueLength = queueSlots
  recent = recentAt
  pairs = pairsAt
  gradient = gradientAt
  sigmoid = sigmoidAt
}

/** Where the next row is queued. */
export function queueTail(): u32 {
  return tail
}

export function setQueueTail(at: u32): void {
  tail = at
}

/** Queues a row for handing out, unless it waits already. */
export function enqueue(row: u32): void {
  const flagAt = waiting + <usize>row
  if (load<u8>(flagAt) != 0) return
  store<u8>(flagAt, 1)
  store<u32>(queue + ((<usize>tail) << 2), row)
  tail = tail + 1 == queueLength ? 0 : tail + 1
}

function moved(row: usize, distance: f32, enough: f32): void {
  const at = moves + (row << 2)
  const total = load<f32>(at) + distance
  store<f32>(at, total)
  const vector = table + row * rowBytes
  if (total * total >= enough * enough * dot(vector, vector)) enqueue(<u32>row)
}

function probability(x: f32): f32 {
  if (x >= LIMIT) return 1
  if (x <= -LIMIT) return 0
  return load<f32>(sigmoid + ((<usize>(<i32>((x + LIMIT) * STEPS))) << 2))
}

function dot(a: usize, b: usize): f32 {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  let i: usize = 0
  for (; i + 32 <= rowBytes; i += 32) {
    low = f32x4.add(low, f32x4.mul(v128.load(a + i), v128.load(b + i)))
    high = f32x4.add(high, f32x4.mul(v128.load(a + i, 16), v128.load(b + i, 16)))
  }
  for (; i < rowBytes; i += 16) low = f32x4.add(low, f32x4.mul(v128.load(a + i), v128.load(b + i)))
  const v = f32x4.add(low, high)
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}

// SplitMix64.
function mixed(state: u64): u64 {
  let z = state
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb
  return z ^ (z >> 31)
}

/**
 * Learns `count` pairs (row u32, row u32, weight f32), each against `negatives` rows drawn from the first `recentCount`
 * of `recent`. A row that has moved by `enough` times its length is queued. The seed decides the draws.
 */
export function train(
  count: i32,
  negatives: i32,
  recentCount: u32,
  rate: f32,
  enough: f32,
  seedHigh: u32,
  seedLow: u32,
): void {
  let state: u64 = ((<u64>seedHigh) << 32) | (<u64>seedLow)
  const perDimension: f32 = 4 / <f32>rowBytes
  for (let p = 0; p < count; p++) {
    const at = pairs + <usize>p * 12
    const centreRow = <usize>load<u32>(at)
    const positiveRow = <usize>load<u32>(at, 4)
    const weight = load<f32>(at, 8)
    const centre = table + centreRow * rowBytes
    for (let i: usize = 0; i < rowBytes; i += 16) v128.store(gradient + i, f32x4.splat(0))
    const centreSquare = dot(centre, centre)
    for (let n = 0; n <= negatives; n++) {
      let row = positiveRow
      if (n > 0) {
        state += 0x9e3779b97f4a7c15
        row = <usize>load<u32>(recent + ((<usize>(((mixed(state) >> 32) * <u64>recentCount) >> 32)) << 2))
        if (row == positiveRow || row == centreRow) continue
      }
      const other = table + row * rowBytes
      const error: f32 = weight * ((n == 0 ? <f32>1 : <f32>0) - probability(dot(centre, other)))
      const squareAt = squares + (row << 2)
      const square = load<f32>(squareAt) + error * error * centreSquare * perDimension
      store<f32>(squareAt, square)
      const size = (rate * error) / Mathf.sqrt(square + EPSILON)
      const factor = f32x4.splat(error)
      const step = f32x4.splat(size)
      for (let i: usize = 0; i < rowBytes; i += 16) {
        const out = v128.load(other + i)
        v128.store(gradient + i, f32x4.add(v128.load(gradient + i), f32x4.mul(factor, out)))
        v128.store(other + i, f32x4.add(out, f32x4.mul(step, v128.load(centre + i))))
      }
      moved(row, Mathf.abs(size) * Mathf.sqrt(centreSquare), enough)
    }
    const gradientSquare = dot(gradient, gradient)
    const squareAt = squares + (centreRow << 2)
    const square = load<f32>(squareAt) + gradientSquare * perDimension
    store<f32>(squareAt, square)
    const size = rate / Mathf.sqrt(square + EPSILON)
    const step = f32x4.splat(size)
    for (let i: usize = 0; i < rowBytes; i += 16) {
      v128.store(centre + i, f32x4.add(v128.load(centre + i), f32x4.mul(step, v128.load(gradient + i))))
    }
    moved(centreRow, size * Mathf.sqrt(gradientSquare), enough)
  }
}
