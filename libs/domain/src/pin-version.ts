/** What decides whether a catalogue change counts: its version, and whether it removes the pin. */
export interface PinStamp {
  /** Chosen by the catalogue's owner, at least 1; null: none given. */
  readonly version: number | null
  readonly isDeleted: boolean
}

/** The largest version. */
export const maxPinVersion = Number.MAX_SAFE_INTEGER

/**
 * The stamp of a pin after a change; null: the change is stale and must not count. `known`: the stamp so far; null: the pin is new.
 *
 * A higher version wins. Of two changes with the same version a removal wins, else the one that comes last in the log. (The log may repeat the first, see
 * the keeper of the catalogue: give different entries different versions.) Without a version, changes count in the order
 * of the log, as long as the pin has no version. Once it has one, an entry without a version is stale, and a removal without a version
 * counts with the pin's version: a removal must never be lost because somebody left out a number.
 */
export function nextPinStamp(known: PinStamp | null, change: PinStamp): PinStamp | null {
  if (known === null || known.version === null) return change
  if (change.version === null) return change.isDeleted ? { version: known.version, isDeleted: true } : null
  if (change.version > known.version) return change
  return change.version === known.version && (change.isDeleted || !known.isDeleted) ? change : null
}
