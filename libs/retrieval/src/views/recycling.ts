/** Lists that hold rows of pins but can't be found by pin: trails, boards. */
export interface RowHolder {
  /** One past the last list. */
  readonly limit: number
  /** Replaces every row whose pin is gone with `goneRow`. */
  clean(list: number): void
}

/**
 * Frees the rows of gone pins for reuse: a row waits until every list that may hold it has been cleaned. Each row that is
 * given up cleans a part of the lists, so folds of other events take no longer.
 */
export interface Recycling {
  /** The number of waiting rows. */
  readonly waiting: number
  /** Adds a row whose pin is gone. */
  put(row: number): void
  clear(): void
}

/** Creates a recycler with room for `spareRows` waiting rows; it passes rows that are free again to `free`. */
export function createRecycling(options: {
  readonly spareRows: number
  readonly holders: () => readonly RowHolder[]
  readonly free: (row: number) => void
}): Recycling {
  const { spareRows, holders, free } = options
  // A round begins with this many rows and ends before as many more have come.
  const perRound = Math.max(1, Math.floor(spareRows / 3))
  let next: number[] = []
  let current: number[] = []
  let plan: { readonly holder: RowHolder; readonly limit: number }[] = []
  let perStep = 0
  let at = 0

  function begin(): void {
    current = next
    next = []
    // Lists made later can't hold these rows.
    plan = holders().map((holder) => ({ holder, limit: holder.limit }))
    perStep = Math.ceil(plan.reduce((sum, { limit }) => sum + limit, 1) / perRound)
    at = 0
  }

  function step(): void {
    for (let left = perStep; left > 0 && plan.length > 0;) {
      const first = plan[0]
      if (first === undefined || at >= first.limit) {
        plan.shift()
        at = 0
        continue
      }
      first.holder.clean(at++)
      left--
    }
    if (plan.length > 0) return
    for (const row of current) free(row)
    current = []
  }

  return {
    get waiting() {
      return current.length + next.length
    },
    put(row) {
      next.push(row)
      if (current.length === 0 && next.length >= perRound) begin()
      if (current.length > 0) step()
    },
    clear() {
      next = []
      current = []
      plan = []
    },
  }
}
