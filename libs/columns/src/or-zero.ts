/**
 * 0 for an entry that is not there, where that is what its absence means: a column that has not grown to this row, a count
 * that nobody has counted yet. Reads that are known to be in range are written `column[i]!` instead.
 */
export function orZero(value: number | undefined): number {
  return value ?? 0
}
