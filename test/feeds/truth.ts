/** A pin as the catalogue's owner knows it. Times are milliseconds since the epoch, in whole seconds. */
export interface TruePin {
  readonly pinId: string
  readonly words: readonly string[]
  readonly topics: readonly string[]
  readonly creatorId: string
  readonly createdAtMs: number
  /** '': fits everybody. */
  readonly locale: string
  readonly availableFromMs: number | null
  readonly expiresAtMs: number | null
  readonly labels: readonly string[]
  readonly minAge: number
  /** '': no other pin has the same picture. */
  readonly picture: string
}

/** A wish of a user that stands until it is taken back: `hide p1`, `block-creator c2`. */
interface Wish {
  readonly stands: boolean
  /** When the user said so last, counted in acts of all users. */
  readonly since: number
  /** The same, counted in this user's acts other than impressions. */
  readonly own: number
}

/** A pin that a home feed showed. */
export interface Showing {
  readonly pinId: string
  readonly atMs: number
}

/** A user as the world knows it: what the person did and was shown. */
export interface TrueUser {
  readonly userId: string
  readonly age: number | null
  readonly locale: string
  readonly labels: readonly string[]
  readonly includesOwn: boolean
  readonly wishes: Map<string, Wish>
  /** Pins that the user acted on, with the last time, milliseconds since the epoch, and the last act. */
  readonly seen: Map<string, { readonly atMs: number; readonly since: number }>
  /** What home feeds showed, oldest first. */
  shown: readonly Showing[]
  /** Acts so far, other than impressions. */
  acts: number
  /** The last act that an answer at full strength can have known. */
  knownUntil: number
}

/** Everything that is true in the world. Rules are checked against it and against nothing of the product. */
export interface Truth {
  readonly pins: ReadonlyMap<string, TruePin>
  readonly users: ReadonlyMap<string, TrueUser>
  /** Ids of pins that once were in the catalogue and are gone. */
  readonly deleted: ReadonlySet<string>
}

/** Whether a wish stands, as far as a feed must know: acts after `until` may be unknown to it. */
export function stands(user: TrueUser, wish: string, until: number): boolean {
  const known = user.wishes.get(wish)
  return known !== undefined && known.stands && known.since <= until
}
