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

/** Empty sums. An arm takes memory from its first feed on. */
export function createUserSums(arms: number, metrics: number): UserSums {
  const width = metrics + 1
  const rows = new Map<string, number>()
  let room = 64
  // By arm, then what came before the arms: a row of numbers for each user.
  const columns = Array.from({ length: arms + 1 }, () => new Float64Array(0))

  function addRow(userId: string): number {
    const row = rows.size
    rows.set(userId, row)
    if (row >= room) room *= 2
    return row
  }

  /** The column with room for all users. */
  function roomy(slot: number): Float64Array {
    const column = columns[slot]!
    if (column.length === room * width) return column
    const larger = new Float64Array(room * width)
    larger.set(column)
    columns[slot] = larger
    return larger
  }

  return {
    arms,
    metrics,
    get users() {
      return rows.size
    },
    begin(userId, feeds, sums) {
      if (rows.has(userId)) return
      const first = addRow(userId) * width
      if (feeds === 0) return
      const cells = roomy(arms)
      cells[first] = feeds
      for (let metric = 0; metric < metrics; metric++) cells[first + 1 + metric] = sums[metric]!
    },
    add(userId, arm, values) {
      const first = (rows.get(userId) ?? addRow(userId)) * width
      const cells = roomy(arm)
      cells[first]! += 1
      for (let metric = 0; metric < metrics; metric++) cells[first + 1 + metric]! += values[metric]!
    },
    feeds: (row, arm) => columns[arm]![row * width] ?? 0,
    sum: (row, arm, metric) => columns[arm]![row * width + 1 + metric] ?? 0,
    feedsBefore: (row) => columns[arms]![row * width] ?? 0,
    sumBefore: (row, metric) => columns[arms]![row * width + 1 + metric] ?? 0,
    crossovers() {
      const found: number[] = []
      for (let row = 0; row < rows.size; row++) {
        let met = 0
        for (let arm = 0; arm < arms; arm++) if ((columns[arm]![row * width] ?? 0) > 0) met++
        if (met > 1) found.push(row)
      }
      return found
    },
  }
}
