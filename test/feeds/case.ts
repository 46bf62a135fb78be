import type { Truth, TruePin, TrueUser } from './truth.ts'

/** What a request asked, in the words of the public API. Times are milliseconds since the epoch. */
export interface Asked {
  readonly surface: 'home' | 'related'
  /** The pin that related pins were asked for; '': a home feed. */
  readonly about: string
  readonly pageSize: number
  readonly atMs: number
  readonly locale: string
  readonly topics: readonly string[]
  readonly creators: readonly string[]
  /** Boards of users, by the ids of the users. */
  readonly boardsOf: readonly string[]
  readonly maxAgeMs: number | null
  readonly exclude: readonly string[]
  readonly seenElsewhere: readonly string[]
  readonly labels: readonly string[]
  readonly age: number | null
  readonly includesOwn: boolean
  /** Pins of the earlier pages of the same session. */
  readonly before: readonly string[]
  /** The same pins, if all these pages came at full strength; null: the product may not know them all. */
  readonly above: readonly string[] | null
}

/** One answer as the client got it. */
export interface Answered {
  readonly items: readonly { readonly pinId: string; readonly seenAgain: boolean }[]
  /** Whether the answer came at full strength, so that it must know everything that was settled. */
  readonly isFull: boolean
  readonly reasons: readonly string[]
}

/** What the product promises with numbers: from its configuration. */
export interface Promised {
  readonly servedWindowMs: number
  readonly caps: PromisedCaps
  /** Shares of groups of sources; empty: the settings ask for none. */
  readonly shares: readonly PromisedShare[]
}

/** Everything that a rule may look at. */
export interface Case {
  readonly truth: Truth
  readonly user: TrueUser
  readonly asked: Asked
  readonly answered: Answered
  readonly promised: Promised
  /** Acts after this one may be unknown to the answer. */
  readonly until: number
  /** Locales of the pins of the catalogue other than ''. */
  readonly offered: readonly string[]
  /** What the ordering could choose from; null: that is not known. */
  readonly candidates: Candidates | null
}

/** What the product promises about caps, with the numbers of its configuration. */
export interface PromisedCaps {
  /** At most this many pins of one creator, and of one topic, within `window` places of a page. */
  readonly mostOfCreator: number
  readonly mostOfTopic: number
  /** The cap of topics of a user about whom nothing is known; it grows up to `mostOfTopic`. */
  readonly mostOfTopicAtStart: number
  readonly window: number
  /** So many candidates, the best ones, are ordered. */
  readonly pool: number
  /** For a next page, those that fill this many pages. */
  readonly pagesRankedAgain: number
}

/** The part of a page that pins of some sources take. A pin counts for the source that ranked it best. */
export interface PromisedShare {
  readonly sources: readonly string[]
  /** Shares of the places, in [0, 1]. */
  readonly min: number
  readonly max: number
}

/** Pins that the ordering could choose from. */
export interface Candidates {
  /** Certainly among the candidates, and certainly fit to be shown as new. */
  readonly pins: readonly TruePin[]
  /** Number of all candidates, fit or not. */
  readonly count: number
  /** The source that ranked each candidate best, by pin id. */
  readonly sourceOf: ReadonlyMap<string, string>
}
