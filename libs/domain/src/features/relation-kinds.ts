/** Relations between a user and a subject that last until withdrawn, in the fixed order of the wire. Add new kinds only at the end. */
export const relationKinds = [
  'follow-board',
  'follow-creator',
  'follow-topic',
  'block-board',
  'block-creator',
  'block-topic',
  'hide-pin',
  'report-pin',
  'block-word',
] as const
export type RelationKind = (typeof relationKinds)[number]

/** A last-writer-wins register. Withdrawn ones are kept too: the action that they withdraw may arrive later. */
export interface Relation {
  readonly kind: RelationKind
  readonly id: string
  /** Event time of the last change. */
  readonly atMs: number
  /** false: withdrawn. */
  readonly stands: boolean
}
