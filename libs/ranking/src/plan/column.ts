/**
 * Values of one input or node. A column on the request's side has one row, which holds for every candidate.
 */
export type Column =
  /** `rows × width` numbers, row by row; missing: NaN. Only inputs that are times have 64 bits (see `Description.times`). */
  | {
      readonly kind: 'numbers'
      readonly rows: number
      readonly width: number
      readonly values: Float32Array | Float64Array
    }
  /** Names as codes into a dictionary, which may grow but not change; missing: −1. */
  | {
      readonly kind: 'categories'
      readonly rows: number
      readonly codes: Int32Array
      readonly names: readonly string[]
      /** Two 32-bit hashes for each code, if they are known without the names: those of a cross. */
      readonly hashes?: Int32Array
    }
  /** `rows × hashes` row numbers of a table; missing: −1. */
  | { readonly kind: 'indices'; readonly rows: number; readonly hashes: number; readonly values: Int32Array }
  /** Elements of row r are those from `offsets[r]` to `offsets[r + 1]` of `elements`, newest first. */
  | {
      readonly kind: 'sequences'
      readonly rows: number
      readonly offsets: Int32Array
      readonly elements: Exclude<Column, { readonly kind: 'sequences' }>
    }

/** Rows to train or evaluate on: the inputs of a plan in columns, with labels. */
export interface RowTable {
  readonly rows: number
  /** By name of input, all on the candidate's side. */
  readonly inputs: ReadonlyMap<string, Column>
  /** By name of label; NaN: not known for this row. */
  readonly labels: ReadonlyMap<string, Float32Array>
  /** null: all 1. */
  readonly weights: Float32Array | null
  /** The group of each row, for example its request: rows of one group were ranked against each other. `noGroup`: in none. */
  readonly groups?: Int32Array
  /** First and last time of the rows, milliseconds since the epoch. */
  readonly times?: { readonly fromMs: number; readonly toMs: number }
}

/** The group of a row that was not ranked against others. */
export const noGroup = -1
