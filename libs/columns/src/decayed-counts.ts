import { orZero } from './or-zero.ts'
import { grownFloat64, nextCapacity } from './growth.ts'
import type { SectionReader, SectionWriter } from './snapshot.ts'

/**
 * Counters by row that halve every `halfLifeMs`, kept by forward decay (Cormode et al. 2009): an action at t adds
 * 2^((t - landmark) / halfLife), so nothing is updated as time passes, rows compare as they stand, and late or reordered
 * actions count the same. The landmark moves by whole blocks of half-lives, which scales by an exact power of two.
 */
export interface DecayedCounts {
  /** Counts one action of a row. */
  add(row: number, atMs: number): void
  /** Takes back an action that was counted. The counter is as before, but for rounding. */
  take(row: number, atMs: number): void
  /** Sets a row's counter to zero; what all rows hold together stays. */
  forget(row: number): void
  /** The row's counter in units of the landmark: for comparing rows, and never falling within a block. */
  weightOf(row: number): number
  /** The row's part of all actions, in [0, 1]. */
  shareOf(row: number): number
  /** `shareOf` of the first `count` of `rows`, into the places of `into`. */
  readShares(rows: Int32Array, count: number, into: Float64Array): void
  /** The row's counter at a time, or at that of the newest action where this is later: an action just now counts 1. */
  countAt(row: number, atMs: number): number
  /** `countAt` of the first `count` of `rows`, into the places of `into`. */
  readCounts(
    rows: Int32Array,
    count: number,
    { atMs, into }: { readonly atMs: number; readonly into: Float64Array },
  ): void
  /** All rows' counters together at a time. */
  totalAt(atMs: number): number
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const blockHalfLives = 512

/** Counters at zero. */
export function createDecayedCounts(halfLifeMs: number): DecayedCounts {
  let weights = new Float64Array(0)
  let total = 0
  let block = -Infinity
  let newestMs = -Infinity

  function moveTo(next: number): void {
    if (block !== -Infinity) {
      const scale = 2 ** (-blockHalfLives * (next - block))
      for (let row = 0; row < weights.length; row++) weights[row] = weights[row]! * scale
      total *= scale
    }
    block = next
  }

  function factorAt(atMs: number): number {
    // Before the newest action nothing has decayed yet: seen from years before it a counter would have no bound.
    return block === -Infinity ? 0 : 2 ** (block * blockHalfLives - Math.max(atMs, newestMs) / halfLifeMs)
  }

  return {
    add(row, atMs) {
      if (row >= weights.length) weights = grownFloat64(weights, nextCapacity(weights.length, row + 1))
      newestMs = Math.max(newestMs, atMs)
      const halfLives = atMs / halfLifeMs
      const needed = Math.floor(halfLives / blockHalfLives)
      if (needed > block) moveTo(needed)
      const weight = 2 ** (halfLives - block * blockHalfLives)
      weights[row] = weights[row]! + weight
      total += weight
    },
    take(row, atMs) {
      if (row >= weights.length || block === -Infinity) return
      const before = weights[row]!
      const weight = Math.min(before, 2 ** (atMs / halfLifeMs - block * blockHalfLives))
      weights[row] = before - weight
      total = Math.max(0, total - weight)
    },
    forget(row) {
      if (row < weights.length) weights[row] = 0
    },
    weightOf: (row) => orZero(weights[row]),
    shareOf: (row) => (total > 0 ? orZero(weights[row]) / total : 0),
    readShares(rows, count, into) {
      if (total > 0) for (let i = 0; i < count; i++) into[i] = orZero(weights[rows[i]!]) / total
      else into.fill(0, 0, count)
    },
    countAt: (row, atMs) => orZero(weights[row]) * factorAt(atMs),
    readCounts(rows, count, { atMs, into }) {
      const factor = factorAt(atMs)
      for (let i = 0; i < count; i++) into[i] = orZero(weights[rows[i]!]) * factor
    },
    totalAt: (atMs) => total * factorAt(atMs),
    bytes: () => weights.byteLength,
    save(writer) {
      writer.f64('weights', weights)
      writer.f64('state', Float64Array.of(total, block, newestMs))
    },
    load(reader) {
      weights = reader.f64('weights')
      const state = reader.f64('state')
      total = state[0]!
      block = state[1] ?? -Infinity
      newestMs = state[2] ?? -Infinity
    },
  }
}
