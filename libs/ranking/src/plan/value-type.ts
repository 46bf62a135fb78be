/**
 * The type of a value in a plan. Every value may be missing: a number is then NaN, a category null, an index negative, a
 * sequence empty.
 */
export type ValueType =
  /** One number. */
  | { readonly kind: 'scalar' }
  /** `size` numbers. */
  | { readonly kind: 'vector'; readonly size: number }
  /** A name from an open set, such as the id of a pin. */
  | { readonly kind: 'category' }
  /** Row numbers of a table with `rows` rows; a value has `hashes` of them, whose rows are added. */
  | { readonly kind: 'index'; readonly rows: number; readonly hashes: number }
  /** At most `max` values, newest first. */
  | { readonly kind: 'sequence'; readonly of: ElementType; readonly max: number }

/** The type of an element of a sequence. */
export type ElementType = Exclude<ValueType, { readonly kind: 'sequence' }>

/** The type as a spec writes it, for example `vector[16]` or `sequence[50] of category`. */
export function formatType(type: ValueType): string {
  switch (type.kind) {
    case 'vector':
      return `vector[${type.size}]`
    case 'index':
      return `index[${type.rows}]`
    case 'sequence':
      return `sequence[${type.max}] of ${formatType(type.of)}`
    default:
      return type.kind
  }
}
