import type { Column } from '../plan/column.ts'

/** A column of sequences. */
export type Sequences = Extract<Column, { readonly kind: 'sequences' }>

/** A column as one of sequences. Throws a TypeError if it is not: the types of a plan exclude that. */
export function asSequences(column: Column | undefined): Sequences {
  if (column?.kind === 'sequences') return column
  throw new TypeError(`expected sequences, got ${column?.kind ?? 'no column'}`)
}
