/** What became of a record that was taken from the log and changed no state, in the fixed order of the wire. New ones are added at the end only. */
export const notFoldedReasons = ['deadLettered', 'erased', 'lost'] as const
export type NotFoldedReason = (typeof notFoldedReasons)[number]

/** Records one after the other that changed no state: stored positions from `from` to before `to`. */
export interface NotFolded {
  readonly from: number
  readonly to: number
  readonly reason: NotFoldedReason
}

/** Stretches kept of a partition, the last ones: what was put aside long ago nobody waits for. */
export const maxNotFolded = 128

/** What a partition keeps about records that changed no state. */
export interface NotFoldedNotes {
  /** The last records that changed no state, oldest first. Positions are stored ones. */
  readonly notFolded: readonly NotFolded[]
  /** Records before this stored position are no longer known. */
  readonly toldFrom: number
}

/** Takes a note of a record, or of `count` of them, that comes after all those noted. */
export function noteNotFolded(
  { notFolded, toldFrom }: NotFoldedNotes,
  position: number,
  reason: NotFoldedReason,
  count = 1,
): NotFoldedNotes {
  const last = notFolded.at(-1)
  const joins = last !== undefined && last.to === position && last.reason === reason
  const from = joins ? last.from : position
  const stretches = [...(joins ? notFolded.slice(0, -1) : notFolded), { from, to: position + count, reason }]
  const surplus = stretches.length - maxNotFolded
  if (surplus <= 0) return { notFolded: stretches, toldFrom }
  return { notFolded: stretches.slice(surplus), toldFrom: stretches[surplus - 1]?.to ?? toldFrom }
}

/** What became of the record at a stored position that was passed; null: it was folded, or repeated one that was. `forgotten`: it is too long ago to be told. */
export function whyNotFolded(
  { notFolded, toldFrom }: NotFoldedNotes,
  position: number,
): NotFoldedReason | 'forgotten' | null {
  if (position < toldFrom) return 'forgotten'
  return notFolded.find(({ from, to }) => from <= position && position < to)?.reason ?? null
}
