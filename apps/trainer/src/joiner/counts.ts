/** Why shown positions became no row. */
export const dropReasons = ['repeated', 'expired', 'erased', 'invalid', 'unreadable', 'sampled'] as const
export type DropReason = (typeof dropReasons)[number]

/** Why an engagement belongs to no row. */
export const unmatchedReasons = [
  'not-on-a-pin',
  'feed-unknown',
  'other-user',
  'pin-not-shown',
  'erased',
  'crowded',
  'invalid',
] as const
export type UnmatchedReason = (typeof unmatchedReasons)[number]

/**
 * What became of everything that was read, since the beginning of the log. At any time
 * positions = rows + dropped + those of feeds that wait, and engagements = matched + late + unmatched + those that wait.
 */
export interface JoinCounts {
  /** Shown positions in the records of `feeds-served.v1`. */
  positions: number
  /** Rows of shown pins, without corrections. */
  rows: number
  /** Rows that correct earlier ones. */
  corrections: number
  /** Rows of candidates that were not shown. */
  unshown: number
  readonly dropped: Record<DropReason, number>
  /** Records of `engagements.v1` with a value. */
  engagements: number
  matched: number
  /** Matched after the window of their feed had closed. */
  late: number
  readonly unmatched: Record<UnmatchedReason, number>
  /** Feeds that were closed before their time because too many waited. */
  closedEarly: number
}

/** Nothing was read yet. */
export function noCounts(): JoinCounts {
  const zeros = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
  return {
    positions: 0,
    rows: 0,
    corrections: 0,
    unshown: 0,
    dropped: zeros(dropReasons),
    engagements: 0,
    matched: 0,
    late: 0,
    unmatched: zeros(unmatchedReasons),
    closedEarly: 0,
  }
}
