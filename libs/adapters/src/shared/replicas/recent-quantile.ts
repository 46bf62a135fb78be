/** A quantile of the most recent values. */
export interface RecentQuantile {
  add(value: number): void
  /** null: too few values. */
  value(): number | null
}

const kept = 256
const refreshedEvery = 32

/** Keeps the last 256 values and sorts them after every 32. */
export function createRecentQuantile(share: number): RecentQuantile {
  const values = new Float64Array(kept)
  let count = 0
  let current: number | null = null
  return {
    add(value) {
      values[count++ % kept] = value
      if (count % refreshedEvery !== 0) return
      const sorted = values.slice(0, Math.min(count, kept)).sort()
      current = sorted[Math.floor(share * (sorted.length - 1))]!
    },
    value: () => current,
  }
}
