/** The kind of event that rows become. */
export type Target = 'engagements' | 'pins'

/** A column and the field of the HTTP API that it fills. Rules turn `rating` into an action. */
export interface FieldOfColumn {
  readonly field: string
  /** Index of the column. */
  readonly column: number
  readonly name: string
}

/** The fields that columns fill. */
export interface Mapping {
  readonly as: Target
  readonly fields: readonly FieldOfColumn[]
  /** Names of columns that fill no field. */
  readonly unused: readonly string[]
}
