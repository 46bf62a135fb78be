/** Why a record that was read from the log changed no state, in the fixed order of the wire. Add new reasons only at the end. */
export const notFoldedReasons = ['deadLettered', 'erased', 'lost'] as const
export type NotFoldedReason = (typeof notFoldedReasons)[number]

/** Consecutive records that changed no state: stored positions `from` (inclusive) to `to` (exclusive). */
export interface NotFolded {
  readonly from: number
  readonly to: number
  readonly reason: NotFoldedReason
}

/** The number of stretches kept for a partition, the latest ones: nobody waits for older records. */
export const maxNotFolded = 128

/** A partition's notes about records that changed no state. */
export interface NotFoldedNotes {
  /** The last records that changed no state, oldest first. Positions are stored ones. */
  readonly notFolded: readonly NotFolded[]
  /** Records before this stored position are no longer known. */
  readonly knownFrom: number
}

/** Notes a record, or `count` records, after all records noted so far. */
export function noteNotFolded(
  { notFolded, knownFrom }: NotFoldedNotes,
  position: number,
  reason: NotFoldedReason,
  count = 1,
): NotFoldedNotes {
  const last = notFolded.at(-1)
  const joins = last !== undefined && last.to === position && last.reason === reason
  const from = joins ? last.from : position
  const stretches = [...(joins ? notFolded.slice(0, -1) : notFolded), { from, to: position + count, reason }]
  const surplus = stretches.length - maxNotFolded
  if (surplus <= 0) return { notFolded: stretches, knownFrom }
  return { notFolded: stretches.slice(surplus), knownFrom: stretches[surplus - 1]?.to ?? knownFrom }
}

/** Why the record at a stored position that the fold has passed was not folded; null: it was folded, or repeats a folded record. `forgotten`: the notes no longer reach back that far. */
export function whyNotFolded(
  { notFolded, knownFrom }: NotFoldedNotes,
  position: number,
): NotFoldedReason | 'forgotten' | null {
  if (position < knownFrom) return 'forgotten'
  return notFolded.find(({ from, to }) => from <= position && position < to)?.reason ?? null
}
