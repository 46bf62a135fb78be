import type { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'

/** A user hides a pin or shows it again. */
export interface Write {
  readonly userId: string
  readonly pinId: string
  readonly hides: boolean
  readonly eventId: string
}

/** A running product that takes what users write, and makes feeds. */
export interface Product {
  readonly name: string
  /** Takes an event; answers its token. */
  say(write: Write): Promise<string>
  /** Merges a user into another; answers the token of the merge. */
  merge(fromUserId: string, intoUserId: string): Promise<string>
  /**
   * A feed of all pins that the user may see, seen ones too. It is not recorded, so that each feed has the same pins but for the
   * event.
   */
  feed(userId: string, after: readonly string[]): Promise<GetFeedResponse>
  close(): Promise<void>
}

/** What a feed of all pins asks for. */
export function wholeFeed(userId: string, after: readonly string[]) {
  return { userId, pageSize: 100, after: [...after], evaluation: { dryRun: true, allowRepeats: true } }
}

/** The deadline of each call. */
export const patience = { timeoutMs: 60_000 }
