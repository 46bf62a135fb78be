/** A total order of rows. Rows with equal scores are sorted by it, so that an answer does not depend on row numbers. */
export interface RowOrder {
  /** One past the largest row in use. */
  readonly size: number
  /** The 32 bits that rows are compared by first; `before` decides between rows with the same bits. */
  tieOf(row: number): number
  /** Whether row `a` comes before row `b` where their scores are equal. */
  before(a: number, b: number): boolean
}
