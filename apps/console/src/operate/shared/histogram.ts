/** A histogram of the server: counts up to each bound; the bound null is infinity. */
export interface Histogram {
  readonly count: number
  readonly sum: number
  readonly buckets: readonly { readonly upTo: number | null; readonly count: number }[]
}

/** A quantile, by linear interpolation within its bucket; null: nothing was measured. Beyond the last bound, that bound. */
export function quantile({ count, buckets }: Histogram, share: number): number | null {
  if (count === 0) return null
  const wanted = share * count
  let [below, counted] = [0, 0]
  for (const { upTo, count: upToHere } of buckets) {
    if (upToHere >= wanted && upToHere > counted)
      return upTo === null ? below : below + ((upTo - below) * (wanted - counted)) / (upToHere - counted)
    if (upTo !== null) below = upTo
    counted = upToHere
  }
  return below
}

/** What was measured between two readings of a histogram. A process that began again counts from its start. */
export function between(earlier: Histogram | null, later: Histogram): Histogram {
  if (earlier === null || earlier.count > later.count || earlier.buckets.length !== later.buckets.length) return later
  return {
    count: later.count - earlier.count,
    sum: later.sum - earlier.sum,
    buckets: later.buckets.map(({ upTo, count }, at) => ({ upTo, count: count - (earlier.buckets[at]?.count ?? 0) })),
  }
}

/** The sum of histograms with the same bounds; null: there is none. */
export function merged(histograms: readonly (Histogram | null)[]): Histogram | null {
  return histograms.reduce<Histogram | null>((sum, each) => {
    if (sum === null || each === null) return sum ?? each
    return {
      count: sum.count + each.count,
      sum: sum.sum + each.sum,
      buckets: sum.buckets.map(({ upTo, count }, at) => ({ upTo, count: count + (each.buckets[at]?.count ?? 0) })),
    }
  }, null)
}
