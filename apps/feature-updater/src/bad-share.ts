/** Counts bad records among the last ones of a partition. */
export interface BadShare {
  /** Whether the last records with these ones mean that a deployment is broken. Changes nothing. */
  wouldHalt(records: number, bad: number): boolean
  /** Counts the records after they were folded or written to the dead letters. */
  add(records: number, bad: number): void
}

/** Halts at `share` of the last `windowRecords`, but not for fewer than `minBad`. A batch counts as if its bad records were spread evenly. */
export function createBadShare(windowRecords: number, share: number, minBad: number): BadShare {
  let seen = 0
  let badSeen = 0
  const after = (records: number, bad: number): readonly [number, number] => {
    const total = seen + records
    const badTotal = badSeen + bad
    if (total <= windowRecords) return [total, badTotal]
    // This is a sliding window without a ring buffer: bad records leave it in proportion.
    return [windowRecords, (badTotal * windowRecords) / total]
  }
  return {
    wouldHalt(records, bad) {
      const [total, badTotal] = after(records, bad)
      return bad > 0 && badTotal >= minBad && badTotal >= share * total
    },
    add(records, bad) {
      const [total, badTotal] = after(records, bad)
      seen = total
      badSeen = badTotal
    },
  }
}
