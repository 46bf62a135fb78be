import { actions } from '@freshet/domain/engagement'

/**
 * Engagements as places in the bytes of their request, all checked. `plain` means: everything is ASCII without escapes, and each engagement is about a
 * pin, has no weight and no problem. That is what the SDK sends for nearly all events, and it needs no object and no string for each field.
 */
export interface PlainEngagements {
  readonly bytes: Buffer
  readonly count: number
  /** `placesPerEngagement` numbers for each engagement, at the indexes of `place`. */
  readonly places: readonly number[]
  /** When each happened, milliseconds since the epoch, as the client says. */
  readonly occurredAtMs: readonly number[]
  /** When the client sent the request, by its own clock; null: not given. */
  readonly sentAtMs: number | null
  /** As given; 0: not given. */
  readonly clockOffsetMs: number
}

/** What stands at which index of `places`. Of a text its first byte is given, and its end follows; both 0: absent. Of a number -1 means absent. */
export const place = {
  eventId: 0,
  userId: 2,
  sessionId: 4,
  pinId: 6,
  boardId: 8,
  feedId: 10,
  position: 12,
  dwellMs: 13,
  /** Number on the wire. */
  action: 14,
  /** Number on the wire; 0: absent. */
  surface: 15,
} as const

/** How many numbers `places` has for each engagement. */
export const placesPerEngagement = 16

/** A text of an engagement; it must not be absent. */
export function plainText({ bytes, places }: PlainEngagements, index: number, field: number): string {
  const at = index * placesPerEngagement + field
  return bytes.toString('latin1', places[at], places[at + 1])
}

const withoutPin: ReadonlySet<string> = new Set(['follow', 'unfollow', 'block', 'unblock'])
/** The actions about pins, with their numbers on the wire. */
export const pinActions = actions.flatMap((action, index) =>
  withoutPin.has(action) ? [] : [{ number: index + 1, action }],
)

/** The numbers of a batch that is being read. Arrays and not typed ones: small typed arrays cost an allocation outside of V8's heap. */
interface Rows {
  readonly places: number[]
  readonly times: number[]
}

/** Rows that grow as they are written. */
export function emptyRows(): Rows {
  return { places: [], times: [] }
}

/** Empties the row of an engagement, for its reader to fill. */
export function beginRow({ places, times }: Rows, index: number): void {
  const base = index * placesPerEngagement
  for (let i = base; i < base + placesPerEngagement; i++) places[i] = 0
  places[base + place.position] = -1
  places[base + place.dwellMs] = -1
  times[index] = 0
}

/** The rows of the first engagements. */
export function rowsOf({ places, times }: Rows, count: number): Pick<PlainEngagements, 'places' | 'occurredAtMs'> {
  return { places: places.slice(0, count * placesPerEngagement), occurredAtMs: times.slice(0, count) }
}
