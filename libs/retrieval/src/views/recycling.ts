/** Lists that hold rows of pins and can't be found by pin: trails, boards. */
export interface RowHolder {
  /** One past the last list. */
  readonly limit: number
  /** Puts `goneRow` in the place of every row whose pin is gone. */
  clean(list: number): void
}

/**
 * Makes the rows of pins that are gone fit for others: a row waits until every list that may hold it was cleaned. The
 * work is done where rows are given up, a part with each, so that folds of other events take no longer.
 */
export interface Recycling {
  /** Rows that wait. */
  readonly waiting: number
  /** A row whose pin is gone from now on. */
  put(row: number): void
  clear(): void
}

/** Recycling with room for `spareRows` rows that wait; `free` is given those that are fit for others. */
export function createRecycling(options: {
  readonly spareRows: number
  readonly holders: () => readonly RowHolder[]
  readonly free: (row: number) => void
}): Recycling {
  const { spareRows, holders, free } = options
  // A round begins with so many rows, and ends before as many again have come.
  const perRound = Math.max(1, Math.floor(spareRows / 3))
  let next: number[] = []
  let current: number[] = []
  let plan: { readonly holder: RowHolder; readonly limit: number }[] = []
  let perStep = 0
  let at = 0

  function begin(): void {
    current = next
    next = []
    // What is in lists made later came later than these rows went.
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
