import type { Pausing } from '../plan/pausing.ts'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { LinearPart } from './linear-parts.ts'

/** The linear formula of a node on rows of columns. */
export interface LinearRow {
  /** b + Σ w·x + Σ w[index] + the offset of a row; missing numbers and indices count 0. */
  value(row: number): number
  /** A step of AdaGrad on the weights of this row; `gradient`: of the loss with respect to the value. */
  update(row: number, gradient: number, how: { readonly rate: number; readonly l2: number }): void
}

/** Calls with each weight of a row: its array, its place, the number that it multiplies. */
type Visit = (slot: Slot, place: number, x: number) => void

const noSquares = new Float32Array()

interface Slot {
  readonly values: Float32Array
  readonly squares: Float32Array
  readonly isTable: boolean
}

/** Rows between two pauses. */
const sliceRows = 2048

/** Values of linear heads for all rows: one array per head. The generator pauses between slices of rows. */
export function* linearValues(
  parts: readonly LinearPart[],
  { rows, columns }: { readonly rows: number; readonly columns: ReadonlyMap<string, Column> },
  weights: ReadonlyMap<string, Weights>,
): Pausing<readonly Float64Array[]> {
  const values = parts.map(() => new Float64Array(rows))
  for (const [at, part] of parts.entries()) {
    const { value } = linearRow(part, columns, weights, null)
    for (let row = 0; row < rows; row++) {
      values[at]![row] = value(row)
      if (row % sliceRows === sliceRows - 1) yield
    }
  }
  return values
}

/** Binds the formula to columns. The weights are those of the learned transform `linear`. `squares`: null, if nothing is updated. */
export function linearRow(
  { node, args, offset }: LinearPart,
  columns: ReadonlyMap<string, Column>,
  weights: ReadonlyMap<string, Weights>,
  squares: ReadonlyMap<string, Float32Array> | null,
): LinearRow {
  const slot = (name: string, isTable: boolean): Slot | null => {
    const key = `${node}/${name}`
    const found = weights.get(key)
    return found === undefined ? null : { values: found.values, squares: squares?.get(key) ?? noSquares, isTable }
  }
  const bias = slot('numbers_bias', false) ?? slot('bias', false)!
  const kernel = slot('numbers_kernel', false)
  let width = 0
  const visitors = args.map((name, at) => {
    const column = columns.get(name)!
    const table = slot(`table${at}`, true)
    if (table !== null) return indexVisitor(column, table)
    const from = width
    width += column.kind === 'numbers' ? column.width : 0
    return numberVisitor(column, kernel!, from)
  })
  const added = offset === null ? null : offsetsOf(columns.get(offset)!)
  const visit = (row: number, each: Visit): void => {
    each(bias, 0, 1)
    for (const visitor of visitors) visitor(row, each)
  }
  return {
    value(row) {
      let sum = added === null ? 0 : added(row)
      visit(row, ({ values }, place, x) => (sum += values[place]! * x))
      return sum
    },
    update(row, gradient, { rate, l2 }) {
      visit(row, ({ values, squares: seen, isTable }, place, x) => {
        const own = gradient * x + (isTable ? l2 * values[place]! : 0)
        const square = seen[place]! + own * own
        seen[place] = square
        values[place]! -= (rate * own) / Math.sqrt(square)
      })
    },
  }
}

/** Reads a column of one number a row; a missing one makes the value missing, as the transform `add` does. */
export function offsetsOf(column: Column): (row: number) => number {
  if (column.kind !== 'numbers') throw new TypeError(`a sum cannot read ${column.kind}`)
  const { values, rows } = column
  return (row) => values[rows === 1 ? 0 : row]!
}

function numberVisitor(column: Column, kernel: Slot, from: number): (row: number, each: Visit) => void {
  if (column.kind !== 'numbers') throw new TypeError(`linear cannot read ${column.kind}`)
  const { values, width, rows } = column
  return (row, each) => {
    const start = (rows === 1 ? 0 : row) * width
    for (let at = 0; at < width; at++) {
      const x = values[start + at]!
      if (Number.isFinite(x) && x !== 0) each(kernel, from + at, x)
    }
  }
}

/** Of a sequence, each element counts its share, as in the mean of their weights. */
function indexVisitor(column: Column, table: Slot): (row: number, each: Visit) => void {
  const indices = column.kind === 'sequences' ? column.elements : column
  if (indices.kind !== 'indices') throw new TypeError(`linear cannot read ${indices.kind}`)
  const { values, hashes } = indices
  return (row, each) => {
    const at = column.rows === 1 ? 0 : row
    const [first, last] = column.kind === 'sequences' ? [column.offsets[at]!, column.offsets[at + 1]!] : [at, at + 1]
    const share = 1 / Math.max(1, last - first)
    for (let place = first * hashes; place < last * hashes; place++) {
      const index = values[place]!
      if (index >= 0) each(table, index, share)
    }
  }
}
