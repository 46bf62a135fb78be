import type { Column } from './column.ts'

/** A value of a row as JSON; null: missing. */
export type CellValue = number | string | null | readonly CellValue[]

/** The value of a row of a column. A column of one row holds for all rows. */
export function valueAt(column: Column, row: number): CellValue {
  const at = column.rows === 1 ? 0 : row
  switch (column.kind) {
    case 'numbers':
      return oneOrMany(column.values, at, column.width, (value) => (Number.isNaN(value) ? null : value))
    case 'indices':
      return oneOrMany(column.values, at, column.hashes, (value) => (value === -1 ? null : value))
    case 'categories':
      return column.names[column.codes[at]!] ?? null
    case 'sequences': {
      const [from, to] = [column.offsets[at]!, column.offsets[at + 1]!]
      // An element is read by its own number, also where the sequence holds only one.
      return Array.from({ length: to - from }, (_, element) => valueAt(column.elements, from + element))
    }
  }
}

function oneOrMany(
  values: Float32Array | Float64Array | Int32Array,
  at: number,
  width: number,
  read: (value: number) => number | null,
): CellValue {
  if (width === 1) return read(values[at]!)
  return Array.from(values.subarray(at * width, (at + 1) * width), read)
}
