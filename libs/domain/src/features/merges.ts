/** Into which user a user was merged. */
export interface MergedInto {
  readonly userId: string
  /** When ingest received the last merge, milliseconds since the epoch. */
  readonly atMs: number
}

/** What a user's state knows about merges. */
export interface Merges {
  /** null: the user was not merged into another. */
  readonly into: MergedInto | null
  /** The users whose state came here, the last first. Without them a circle of merges could not be refused. */
  readonly from: readonly string[]
}

/** No merges. */
export const noMerges: Merges = { into: null, from: [] }

/** Adds users to those whose state came here: the last first, each once, at most `most`. */
export function withMergedFrom(merges: Merges, userIds: readonly string[], most: number): Merges {
  return { ...merges, from: [...new Set([...userIds, ...merges.from])].slice(0, most) }
}
