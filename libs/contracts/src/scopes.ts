/** Families of fenced state: of users, folded from `engagements.v1`, and of pins, folded from `pin-engagements.v1`. */
export type StateFamily = 'user' | 'pin'

/** The topic that a family's state is folded from. */
export const familyTopic = { user: 'engagements.v1', pin: 'pin-engagements.v1' } as const

/** The generation that serves while no pointer is set. */
export const firstGeneration = '1'

/** The scope of a family's state in one generation, e.g. `user.1`. A rebuild folds the log into the next generation while this one serves. */
export function stateScope(family: StateFamily, generation: string): string {
  return `${family}.${generation}`
}

/** The name of the state store's pointer to the generation that serves, e.g. `serving.user`. */
export function servingPointer(family: StateFamily): string {
  return `serving.${family}`
}

/** The state store's pointer to the time, milliseconds since the epoch, until which an operator accepts any number of bad records as dead letters. */
export const badAcceptedPointer = 'bad-records-accepted-until'

/** The state store's pointer to the key that signs page tokens, unless the settings name one. */
export const cursorKeyPointer = 'cursor-key'

/** The scope of pins recently served to users: outside the fence, in the user's partition. Entries of `servedEntryBytes`. */
export const servedScope = 'served'
/** The scope of users' last good feeds, outside the fence. Value: `freshet.feed.v1.FeedServed` with `pin_ids`, `utilities`, `sources` and `found_by` only. */
export const lastGoodScope = 'last-good'
/** The scope of the ranked pins that a user's page session has not shown yet, outside the fence. One value for each user: of their newest session. */
export const reserveScope = 'page-reserve'
