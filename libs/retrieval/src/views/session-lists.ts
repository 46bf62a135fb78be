/**
 * Who touched which pins one after the other, for reading: sessions, or trails of users, by row number, and for each pin
 * those that touched it last. The columns may be other arrays after the next fold: read them anew.
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
  /** How many sessions ever touched a pin, and how many sessions ever were. */
  sessionCountOf(pinRow: number): number
  readonly sessionsEver: number
}
