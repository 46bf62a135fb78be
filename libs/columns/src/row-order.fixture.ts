import type { RowOrder } from './row-order.ts'

/** The order of rows by a hash of their names: the name at index i belongs to row i. */
export function aRowOrder(names: readonly string[]): RowOrder {
  const tieOf = (row: number): number => {
    let hash = 0x811c9dc5
    for (const char of names[row] ?? '') hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    return hash >>> 0
  }
  const nameOf = (row: number): string => names[row] ?? ''
  return {
    size: names.length,
    tieOf,
    before: (a, b) => tieOf(a) < tieOf(b) || (tieOf(a) === tieOf(b) && nameOf(a) < nameOf(b)),
  }
}
