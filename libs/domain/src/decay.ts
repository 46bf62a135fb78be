/** Half-lives of every decayed counter, milliseconds: 30 minutes, 1 day, 30 days, and infinity (a plain total, exact to 2^53). */
export const halfLivesMs = [1_800_000, 86_400_000, 2_592_000_000, Number.POSITIVE_INFINITY] as const

/** Names of the half-lives, in the same order. */
export const halfLifeNames = ['30m', '1d', '30d', 'total'] as const
export type HalfLife = (typeof halfLifeNames)[number]

/** The factor that remains after `elapsedMs`: `2^(−elapsed / halfLife)`; 1 when `elapsedMs` is 0 or negative. */
export function decay(elapsedMs: number, halfLifeMs: number): number {
  return elapsedMs <= 0 ? 1 : 2 ** (-elapsedMs / halfLifeMs)
}

/**
 * Rows of decayed counters: row r has one value per half-life, all as of `atMs[r]` (0: never counted). Decay happens on
 * read, so a count costs O(1) and needs no buckets. Counting is order-free up to rounding (relative 1e-12 a thousand counts).
 */
export interface Counters {
  /** Rows × half-lives, row by row. */
  readonly values: Float64Array
  /** One time per row: of the newest count in it. */
  readonly atMs: Float64Array
}

/** Creates empty counters. */
export function noCounters(rows: number): Counters {
  return noCountersOf(rows)[0]
}

/** Creates several empty counters in one buffer: allocating each column alone costs more than counting into it. */
export function noCountersOf<const Rows extends readonly number[]>(...rows: Rows): { [At in keyof Rows]: Counters } {
  const width = halfLivesMs.length + 1
  let total = 0
  for (const each of rows) total += each
  const { buffer } = new Float64Array(total * width)
  let at = 0
  return rows.map((each) => {
    const values = new Float64Array(buffer, at, each * halfLivesMs.length)
    const atMs = new Float64Array(buffer, at + values.byteLength, each)
    at += each * width * Float64Array.BYTES_PER_ELEMENT
    return { values, atMs }
  }) as { [At in keyof Rows]: Counters }
}

/** Copies counters, so that the copy can be changed. */
export function copyCounters(counters: Counters): Counters {
  return { values: new Float64Array(counters.values), atMs: new Float64Array(counters.atMs) }
}

/** Counts `amount` at `atMs` in a row, in place. If `atMs` is older than the row's time, the amount is decayed to the row's time. */
export function count(counters: Counters, row: number, atMs: number, amount = 1): void {
  const before = counters.atMs[row] ?? 0
  const first = row * halfLivesMs.length
  if (atMs >= before) {
    const elapsed = before === 0 ? 0 : atMs - before
    for (let i = 0; i < halfLivesMs.length; i++) {
      counters.values[first + i] = (counters.values[first + i] ?? 0) * decay(elapsed, halfLivesMs[i] ?? 1) + amount
    }
    counters.atMs[row] = atMs
    return
  }
  for (let i = 0; i < halfLivesMs.length; i++) {
    counters.values[first + i] = (counters.values[first + i] ?? 0) + amount * decay(before - atMs, halfLivesMs[i] ?? 1)
  }
}

/** The counts of both, row by row. */
export function mergeCounters(a: Counters, b: Counters): Counters {
  const merged = copyCounters(a)
  for (let row = 0; row < b.atMs.length; row++) {
    const atMs = Math.max(a.atMs[row] ?? 0, b.atMs[row] ?? 0)
    const first = row * halfLivesMs.length
    for (let i = 0; i < halfLivesMs.length; i++) {
      const halfLifeMs = halfLivesMs[i] ?? 1
      const ofA = (a.values[first + i] ?? 0) * decay(atMs - (a.atMs[row] ?? 0), halfLifeMs)
      merged.values[first + i] = ofA + (b.values[first + i] ?? 0) * decay(atMs - (b.atMs[row] ?? 0), halfLifeMs)
    }
    merged.atMs[row] = atMs
  }
  return merged
}

/** A row's value under a half-life as of `atMs`; as of the newest count where `atMs` is older. */
export function counted(counters: Counters, row: number, halfLife: HalfLife, atMs: number): number {
  const column = halfLifeNames.indexOf(halfLife)
  const value = counters.values[row * halfLivesMs.length + column] ?? 0
  return value === 0 ? 0 : value * decay(atMs - (counters.atMs[row] ?? 0), halfLivesMs[column] ?? 1)
}

/** The sum over all rows of a row's value as of `atMs`, each times its weight (null: 1), as `counted` gives it. */
export function countedOverall(
  counters: Counters,
  halfLife: HalfLife,
  atMs: number,
  weights: Float64Array | null,
): number {
  const { values, atMs: times } = counters
  const column = halfLifeNames.indexOf(halfLife)
  const halfLifeMs = halfLivesMs[column] ?? 1
  let sum = 0
  for (let row = 0; row < times.length; row++) {
    const value = values[row * halfLivesMs.length + column] ?? 0
    if (value !== 0) {
      const weight = weights === null ? 1 : (weights[row] ?? 0)
      sum += weight * (value * decay(atMs - (times[row] ?? 0), halfLifeMs))
    }
  }
  return sum
}
