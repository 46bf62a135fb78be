import type { Tensor } from '@tensorflow/tfjs-core'
import type { Column } from '../plan/column.ts'
import type { PlanHead } from '../plan/plan.ts'
import { predict } from '../tensor/predict.ts'
import type { TensorProgram } from '../tensor/program.ts'

/** Rows of one pass: enough for fast kernels, and a bounded memory. */
const passRows = 8192

/** Values of heads (logits, or ln(1 + amount)) for all rows of a table, before any calibration: one array per head. */
export function scoreTable(
  heads: readonly PlanHead[],
  program: TensorProgram,
  weights: ReadonlyMap<string, Tensor>,
  { rows, columns }: { readonly rows: number; readonly columns: ReadonlyMap<string, Column> },
): readonly Float64Array[] {
  const values = heads.map(() => new Float64Array(rows))
  for (let first = 0; first < rows; first += passRows) {
    const count = Math.min(passRows, rows - first)
    const pass = predict(program, weights, columns, rowsFrom(first, count))
    for (let at = 0; at < pass.length; at++)
      values[at % heads.length]![first + Math.floor(at / heads.length)] = pass[at]!
  }
  return values
}

/** Row numbers from `first` on. */
export function rowsFrom(first: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => first + row)
}

/** A head's prediction from its value: a probability, or an amount in its unit. */
export function predictionOf(kind: PlanHead['kind'], value: number): number {
  return kind === 'probability' ? 1 / (1 + Math.exp(-value)) : Math.max(0, Math.expm1(value))
}
