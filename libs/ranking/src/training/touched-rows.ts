/** Tables with more rows are trained by the rows that a batch touches; see `createTouchedRows`. */
export const denseRows = 100_000

/** The rows of a table that a batch touches. */
export interface TouchedRows {
  /** Row numbers of the table, in order of first use. */
  readonly rows: Int32Array
  /** The batch's indices as places in `rows`; −1 stays −1. */
  readonly indices: Int32Array
}

/**
 * Finds the rows that a batch touches. The gradient of a whole table is dense: with a million rows it would take longer than
 * all the rest of a step. So a step computes with a small table of the touched rows.
 */
export function createTouchedRows(tableRows: number): (indices: Int32Array) => TouchedRows {
  const place = new Int32Array(tableRows).fill(-1)
  return (indices) => {
    const rows: number[] = []
    const mapped = indices.map((index) => {
      if (index < 0) return -1
      if (place[index] === -1) place[index] = rows.push(index) - 1
      return place[index]!
    })
    for (const row of rows) place[row] = -1
    return { rows: Int32Array.from(rows), indices: mapped }
  }
}
