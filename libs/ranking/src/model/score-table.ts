import type { Predictor } from '../inference/predictor.ts'
import type { Column } from '../plan/column.ts'
import type { Pausing } from '../plan/pausing.ts'

/** Rows of one pass: enough for fast kernels, a bounded memory, and some milliseconds. */
const passRows = 256

/**
 * Values of heads (logits, or ln(1 + amount)) for all rows of a table, before any calibration: one array per head. The generator
 * pauses between passes.
 */
export function* scoreSlices(
  heads: number,
  predict: Predictor['predict'],
  { rows, columns }: { readonly rows: number; readonly columns: ReadonlyMap<string, Column> },
): Pausing<readonly Float64Array[]> {
  const values = Array.from({ length: heads }, () => new Float64Array(rows))
  for (let first = 0; first < rows; first += passRows) {
    const count = Math.min(passRows, rows - first)
    const pass = predict(columns, rowsFrom(first, count))
    for (let at = 0; at < pass.length; at++) values[at % heads]![first + Math.floor(at / heads)] = pass[at]!
    yield
  }
  return values
}

/** Row numbers from `first` on. */
export function rowsFrom(first: number, count: number): Int32Array {
  const rows = new Int32Array(count)
  for (let row = 0; row < count; row++) rows[row] = first + row
  return rows
}
