/** Why rows were left out: how many for one reason, and the line of the first, from 1. */
export interface LeftOut {
  readonly reason: string
  readonly rows: number
  readonly firstLine: number
}

/** What was read. */
export interface RowsReport {
  readonly read: number
  readonly leftOut: readonly LeftOut[]
  /** Keys of `values` that are not inputs of the plan. */
  readonly unusedKeys: readonly string[]
  /** Inputs that no row has a value for. */
  readonly absentInputs: readonly string[]
}

/** The rows left out in one sentence: `3 of 100 rows left out: 2 × "hour" is not a number (first at line 12), …`. */
export function describeReport({ read, leftOut }: RowsReport): string {
  const total = leftOut.reduce((sum, { rows }) => sum + rows, 0)
  const reasons = leftOut
    .toSorted((a, b) => b.rows - a.rows)
    .map(({ reason, rows, firstLine }) => `${rows} × ${reason} (first at line ${firstLine})`)
  return `${total} of ${read} rows left out${total === 0 ? '' : `: ${reasons.join(', ')}`}`
}
