/** What the users of each arm did in all: sums by user and arm, in columns. */
export interface UserSums {
  readonly arms: number
  readonly metrics: number
  /** Number of users. */
  readonly users: number
  /** Says what a user did before the first feed in any arm: the number of feeds, and a sum for each metric. Only the first call for a user counts. */
  begin(userId: string, feeds: number, sums: ArrayLike<number>): void
  /** Adds one feed of a user in an arm; `values` has one number for each metric. */
  add(userId: string, arm: number, values: readonly number[]): void
  /** How many feeds the user of this row had in an arm. */
  feeds(row: number, arm: number): number
  /** Sum of a metric over the feeds of the user of this row in an arm. */
  sum(row: number, arm: number, metric: number): number
  /** How many feeds the user of this row had before the first one in an arm. */
  feedsBefore(row: number): number
  /** Sum of a metric over these feeds. */
  sumBefore(row: number, metric: number): number
  /** Rows whose user had feeds in more than one arm. */
  crossovers(): readonly number[]
}

/** Empty sums. */
export function createUserSums(arms: number, metrics: number): UserSums {
  const width = metrics + 1
  const rows = new Map<string, number>()
  // What came before the arms is kept like one more arm.
  const slots = arms + 1
  let cells = new Float64Array(64 * slots * width)
  const at = (row: number, slot: number): number => (row * slots + slot) * width

  function addRow(userId: string): number {
    const row = rows.size
    rows.set(userId, row)
    if (at(row + 1, 0) > cells.length) {
      const larger = new Float64Array(2 * cells.length)
      larger.set(cells)
      cells = larger
    }
    return row
  }

  return {
    arms,
    metrics,
    get users() {
      return rows.size
    },
    begin(userId, feeds, sums) {
      if (rows.has(userId)) return
      const first = at(addRow(userId), arms)
      cells[first] = feeds
      for (let metric = 0; metric < metrics; metric++) cells[first + 1 + metric] = sums[metric]!
    },
    add(userId, arm, values) {
      const first = at(rows.get(userId) ?? addRow(userId), arm)
      cells[first]! += 1
      for (let metric = 0; metric < metrics; metric++) cells[first + 1 + metric]! += values[metric]!
    },
    feeds: (row, arm) => cells[at(row, arm)]!,
    sum: (row, arm, metric) => cells[at(row, arm) + 1 + metric]!,
    feedsBefore: (row) => cells[at(row, arms)]!,
    sumBefore: (row, metric) => cells[at(row, arms) + 1 + metric]!,
    crossovers() {
      const found: number[] = []
      for (let row = 0; row < rows.size; row++) {
        let met = 0
        for (let arm = 0; arm < arms; arm++) if (cells[at(row, arm)]! > 0) met++
        if (met > 1) found.push(row)
      }
      return found
    },
  }
}
