import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { place, placesPerEngagement, type PlainEngagements } from '../bytes/plain-engagements.ts'
import { sourceTagField } from './engagement.ts'

/** What is stored beside what the client said. */
export interface StoredFacts {
  /** Corrected, milliseconds since the epoch. */
  readonly occurredAtMs: number
  readonly receivedAtMs: number
  /** The id under which the user is stored; null: as given. */
  readonly userId: string | null
  /** Tag of the address that it came from; null: none. */
  readonly sourceTag: number | null
}

// `encodeFields` is synchronous: one closure for all events instead of one for each.
let from: PlainEngagements | null = null
let base = 0
let facts: StoredFacts = { occurredAtMs: 0, receivedAtMs: 0, userId: null, sourceTag: null }

/** Bytes of a plain engagement for `engagements.v1`: those that `encodeEngagement` writes, copied from the request. */
export function encodePlainEngagement(engagements: PlainEngagements, index: number, stored: StoredFacts): Uint8Array {
  from = engagements
  base = index * placesPerEngagement
  facts = stored
  const encoded = encodeFields(write)
  from = null
  return encoded
}

function write(to: FieldWriter): void {
  if (from === null) return
  const { bytes, places } = from
  to.range(1, bytes, places[base + place.eventId]!, places[base + place.eventId + 1]!)
  if (facts.userId === null) to.range(2, bytes, places[base + place.userId]!, places[base + place.userId + 1]!)
  else to.text(2, facts.userId)
  to.range(3, bytes, places[base + place.sessionId]!, places[base + place.sessionId + 1]!)
  to.uint(4, places[base + place.action]!)
  to.range(5, bytes, places[base + place.pinId]!, places[base + place.pinId + 1]!)
  to.range(9, bytes, places[base + place.boardId]!, places[base + place.boardId + 1]!)
  to.uint(10, facts.occurredAtMs)
  to.uint(11, facts.receivedAtMs)
  to.range(12, bytes, places[base + place.feedId]!, places[base + place.feedId + 1]!)
  const position = places[base + place.position]!
  if (position >= 0) to.optional(13, position)
  to.uint(14, places[base + place.surface]!)
  const dwellMs = places[base + place.dwellMs]!
  if (dwellMs >= 0) to.optional(15, dwellMs)
  to.optional(sourceTagField, facts.sourceTag)
}
