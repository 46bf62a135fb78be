import type { Column } from './column.ts'

/** A value as tests write it: a number, a name, a vector, or a sequence of these; null: missing. */
export type Plain = number | string | null | readonly Plain[]

/** A column of one number per row. */
export function numbers(values: readonly (number | null)[]): Column {
  return { kind: 'numbers', rows: values.length, width: 1, values: Float32Array.from(values, (value) => value ?? NaN) }
}

/** A column of times: one 64-bit number per row. */
export function times(values: readonly number[]): Column {
  return { kind: 'numbers', rows: values.length, width: 1, values: Float64Array.from(values) }
}

/** A column of vectors of one size. */
export function vectors(rows: readonly (readonly (number | null)[])[]): Column {
  const values = Float32Array.from(rows.flat(), (value) => value ?? NaN)
  return { kind: 'numbers', rows: rows.length, width: rows[0]?.length ?? 1, values }
}

/** A column of categories. */
export function categories(values: readonly (string | null)[]): Column {
  const names = [...new Set(values)].filter((name) => name !== null)
  const codes = Int32Array.from(values, (name) => (name === null ? -1 : names.indexOf(name)))
  return { kind: 'categories', rows: values.length, codes, names }
}

/** A column of row numbers of a table, as many per row as the first row has. */
export function indices(rows: readonly (readonly number[])[]): Column {
  return { kind: 'indices', rows: rows.length, hashes: rows[0]?.length ?? 1, values: Int32Array.from(rows.flat()) }
}

/** A column of sequences; `columnOf` makes the column of all elements. */
export function sequences<Element>(
  rows: readonly (readonly Element[])[],
  columnOf: (elements: readonly Element[]) => Column,
): Column {
  const elements = columnOf(rows.flat())
  if (elements.kind === 'sequences') throw new TypeError('a sequence cannot contain sequences')
  const offsets = new Int32Array(rows.length + 1)
  rows.forEach((row, at) => (offsets[at + 1] = offsets[at]! + row.length))
  return { kind: 'sequences', rows: rows.length, offsets, elements }
}

/** Some rows of a column, copied. */
export function someRows(column: Column, from: number, to: number): Column {
  switch (column.kind) {
    case 'numbers':
      return { ...column, rows: to - from, values: column.values.slice(from * column.width, to * column.width) }
    case 'categories':
      return { kind: 'categories', rows: to - from, codes: column.codes.slice(from, to), names: column.names }
    case 'indices':
      return { ...column, rows: to - from, values: column.values.slice(from * column.hashes, to * column.hashes) }
    case 'sequences': {
      const offsets = column.offsets.slice(from, to + 1)
      const elements = someRows(column.elements, offsets[0]!, offsets.at(-1))
      if (elements.kind === 'sequences') throw new TypeError('a sequence cannot contain sequences')
      return { kind: 'sequences', rows: to - from, offsets: offsets.map((at) => at - offsets[0]!), elements }
    }
  }
}

/** The values of a column row by row, null where they are missing. `rows`: a column of one row stands for so many. */
export function plainRows(column: Column, rows = column.rows): readonly Plain[] {
  const own = Array.from({ length: column.rows }, (_, row) => plainRow(column, row))
  return column.rows === 1 ? Array.from({ length: rows }, () => own[0]!) : own
}

function plainRow(column: Column, row: number): Plain {
  switch (column.kind) {
    case 'numbers': {
      const values = [...column.values.subarray(row * column.width, (row + 1) * column.width)]
      const plain = values.map((value) => (Number.isNaN(value) ? null : value))
      return column.width === 1 ? plain[0]! : plain
    }
    case 'categories':
      return column.codes[row]! < 0 ? null : column.names[column.codes[row]!]!
    case 'indices':
      return [...column.values.subarray(row * column.hashes, (row + 1) * column.hashes)]
    case 'sequences':
      return plainRows(column.elements).slice(column.offsets[row], column.offsets[row + 1])
  }
}
