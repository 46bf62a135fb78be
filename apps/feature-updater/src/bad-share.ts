/** Counts bad records among the last ones of a partition. */
export interface BadShare {
  /** Whether these records, after the last ones, mean that a deploy is broken. Changes nothing. */
  wouldHalt(records: number, bad: number): boolean
  /** Takes the records into account, once they were put aside or folded. */
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
    // A sliding window without a ring: what is beyond it leaves in proportion.
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
