import type { Column } from '../plan/column.ts'
import type { Output } from './definition.ts'
import { asNumbers } from './numbers.ts'

/** The number of boundaries that are not above each number: its bucket, from 0 to the number of boundaries. Missing: −1. */
export function bucketsOf(column: Column | undefined, boundaries: readonly number[], output: Output): Column {
  const { values, rows } = asNumbers(column)
  const to = output.ints(rows)
  for (let row = 0; row < rows; row++) {
    const x = values[row]!
    let low = 0
    let high = boundaries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (boundaries[middle]! <= x) low = middle + 1
      else high = middle
    }
    to[row] = Number.isNaN(x) ? -1 : low
  }
  return { kind: 'indices', rows, hashes: 1, values: to }
}
