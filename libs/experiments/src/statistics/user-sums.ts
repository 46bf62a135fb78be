/** What the users of each arm did in all: sums by user and arm, in columns. */
export interface UserSums {
  readonly arms: number
  readonly metrics: number
  /** Number of users. */
  readonly users: number
  /** Adds one feed of a user in an arm; `values` has one number for each metric. */
  add(userId: string, arm: number, values: readonly number[]): void
  /** How many feeds the user of this row had in an arm. */
  feeds(row: number, arm: number): number
  /** Sum of a metric over the feeds of the user of this row in an arm. */
  sum(row: number, arm: number, metric: number): number
  /** Rows whose user had feeds in more than one arm. */
  crossovers(): readonly number[]
}

/** Empty sums. */
export function createUserSums(arms: number, metrics: number): UserSums {
  const width = metrics + 1
  const rows = new Map<string, number>()
  let cells = new Float64Array(64 * arms * width)
  const at = (row: number, arm: number): number => (row * arms + arm) * width
  return {
    arms,
    metrics,
    get users() {
      return rows.size
    },
    add(userId, arm, values) {
      let row = rows.get(userId)
      if (row === undefined) {
        row = rows.size
        rows.set(userId, row)
        if (at(row + 1, 0) > cells.length) {
          const larger = new Float64Array(2 * cells.length)
          larger.set(cells)
          cells = larger
        }
      }
      const first = at(row, arm)
      cells[first]! += 1
      for (let metric = 0; metric < metrics; metric++) cells[first + 1 + metric]! += values[metric]!
    },
    feeds: (row, arm) => cells[at(row, arm)]!,
    sum: (row, arm, metric) => cells[at(row, arm) + 1 + metric]!,
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
