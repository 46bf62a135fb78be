/** What lasts between a user and something until it is withdrawn, in the fixed order of the wire. New ones are added at the end only. */
export const relationKinds = [
  'follow-board',
  'follow-creator',
  'follow-topic',
  'block-board',
  'block-creator',
  'block-topic',
  'hide-pin',
  'report-pin',
] as const
export type RelationKind = (typeof relationKinds)[number]

/** A last-writer-wins register. A withdrawn one is kept as well: what it withdraws may arrive after it. */
export interface Relation {
  readonly kind: RelationKind
  readonly id: string
  /** Event time of the last change. */
  readonly atMs: number
  /** false: withdrawn. */
  readonly stands: boolean
}
