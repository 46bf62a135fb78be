import { writeFileSync } from 'node:fs'

/** What a command measured, as a table: `npm run results` reads it. */
export interface FigureTable {
  /** Heads of the columns after the first one. */
  readonly columns: readonly string[]
  readonly rows: readonly FigureRow[]
  /** What did not hold. */
  readonly problems: readonly string[]
}

/** A line of the table. */
export interface FigureRow {
  /** What was measured: the first column. */
  readonly key: string
  /** The figures with their units, one for each column. */
  readonly cells: readonly string[]
}

/** Writes the figures of a run to the file of `--json FILE`; does nothing without one. */
export function writeFigures(file: string | undefined, { columns, rows, problems }: FigureTable): void {
  if (file === undefined) return
  const wrong = rows.filter(({ cells }) => cells.length !== columns.length).map(({ key }) => key)
  if (wrong.length > 0) throw new Error(`rows with another number of cells than columns: ${wrong.join(', ')}`)
  writeFileSync(file, `${JSON.stringify({ columns, rows, problems }, null, 2)}\n`)
}
