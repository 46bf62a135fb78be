/**
 * A read-only view of sessions, or of users' trails (a trail is all of a user's actions in order), by row number, and for
 * each pin the ones that touched it last. A fold may replace the columns: read the properties again after each fold.
 */
export interface SessionLists {
  /** One past the largest session row in use: scratch columns by session row need this length. */
  readonly rowLimit: number
  /** A session's pins, oldest first: entries `startOf(s)` to `startOf(s) + lengthOf(s)` of `pinRows`. */
  readonly pinRows: Int32Array
  startOf(session: number): number
  lengthOf(session: number): number
  lastAtMs(session: number): number
  /** The halves of the session's key, see `SessionKey`. */
  keyHigh(session: number): number
  keyLow(session: number): number
  /** A pin's sessions by the time they last touched it, latest LAST: entries of `sessionRows` and `sessionAtMs`. */
  readonly sessionRows: Int32Array
  readonly sessionAtMs: Float64Array
  pinStartOf(pinRow: number): number
  pinLengthOf(pinRow: number): number
  /** How many sessions ever touched a pin, and how many sessions there ever were. */
  sessionCountOf(pinRow: number): number
  readonly sessionsEver: number
}
