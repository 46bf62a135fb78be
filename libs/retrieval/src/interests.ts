import type { SourceQuery } from './source.ts'
import type { VectorView } from './vector-view.ts'

/** Bounds of a user's interests. */
export interface InterestOptions {
  /** Of the user's recent distinct pins with a vector, how many are looked at. */
  readonly maxPins: number
  /** Interests asked for, the weightiest. */
  readonly maxInterests: number
  /** Pins at least this close to an interest's first pin belong to it. */
  readonly minCosine: number
  /** An action counts half after this long. */
  readonly halfLifeMs: number
}

/** A user's interests as pins that stand for them, weightiest first. Columns are used again by the next call. */
export interface Interests {
  readonly count: number
  readonly rows: Int32Array
  /** Parts of all the weight, sum at most 1. */
  readonly weights: Float64Array
}

/** Finds the pins that stand for what a user likes. */
export interface InterestFinder {
  find(query: SourceQuery): Interests
}

/**
 * Clusters of the user's recent pins with their medoids (PinnerSage, Pal et al. 2020, with leader clustering in place of
 * Ward's, because it is one pass): each pin joins the first interest it is close to, latest pins first; the medoid is
 * the pin with the largest weighted sum of cosines in it; an interest weighs the decayed sum of its actions.
 */
export function createInterestFinder(view: VectorView, options: InterestOptions): InterestFinder {
  const { maxPins, maxInterests, minCosine, halfLifeMs } = options
  const rows = new Int32Array(maxPins)
  const weights = new Float64Array(maxPins)
  const leaders = new Int32Array(maxPins)
  const members = new Int32Array(maxPins)
  const found = { count: 0, rows: new Int32Array(maxInterests), weights: new Float64Array(maxInterests) }

  function takePins(query: SourceQuery): number {
    let count = 0
    for (let i = query.recentCount - 1; i >= 0 && count < maxPins; i--) {
      const row = query.recentRows[i] ?? 0
      if (!view.has(row)) continue
      const weight = 2 ** ((Math.min(query.atMs, query.recentAtMs[i] ?? 0) - query.atMs) / halfLifeMs)
      let known = -1
      for (let n = 0; n < count && known < 0; n++) if (rows[n] === row) known = n
      if (known < 0) {
        rows[count] = row
        weights[count++] = weight
      } else weights[known] = (weights[known] ?? 0) + weight
    }
    return count
  }

  function medoidOf(interest: number, count: number): number {
    let best = leaders[interest] ?? 0
    let bestSum = -Infinity
    for (let a = 0; a < count; a++) {
      if (members[a] !== interest) continue
      let sum = 0
      for (let b = 0; b < count; b++) {
        if (members[b] === interest) sum += (weights[b] ?? 0) * view.cosine(rows[a] ?? 0, rows[b] ?? 0)
      }
      if (sum > bestSum) {
        bestSum = sum
        best = a
      }
    }
    return rows[best] ?? 0
  }

  return {
    find(query) {
      const count = takePins(query)
      const sums: number[] = []
      let total = 0
      for (let n = 0; n < count; n++) {
        let interest = 0
        while (interest < sums.length && view.cosine(rows[n] ?? 0, rows[leaders[interest] ?? 0] ?? 0) < minCosine)
          interest++
        if (interest === sums.length) {
          leaders[interest] = n
          sums.push(0)
        }
        members[n] = interest
        sums[interest] = (sums[interest] ?? 0) + (weights[n] ?? 0)
        total += weights[n] ?? 0
      }
      // Interests are numbered by their latest pin, so equal weights go to the later one.
      const order = sums.map((_, interest) => interest).sort((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0) || a - b)
      found.count = Math.min(maxInterests, order.length)
      for (let i = 0; i < found.count; i++) {
        const interest = order[i] ?? 0
        found.rows[i] = medoidOf(interest, count)
        found.weights[i] = (sums[interest] ?? 0) / total
      }
      return found
    },
  }
}
