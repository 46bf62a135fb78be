import { maxIdCharacters } from '@freshet/domain/ids'
import { place, placesPerEngagement, type PlainEngagements } from '../bytes/plain-engagements.ts'
import { writeVarint } from '../bytes/varints.ts'
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

const [varintType, textType] = [0, 2]
/** Keys of fields, which are all below 16 and so take one byte each. */
const textKey = (field: number): number => field * 8 + textType
const numberKey = (field: number): number => field * 8 + varintType
const sourceTagKey = numberKey(sourceTagField)

const textFields = 6
/** Most bytes of an engagement, without an id of the user that is not the given one. */
const maxBytes = textFields * (maxIdCharacters + 3) + 80
const slabBytes = 64 << 10
/** Memory that the engagements of many requests share: an allocation for each would cost more than the writing. */
let slab = new Uint8Array(slabBytes)
let used = 0

/**
 * Bytes of a plain engagement for `engagements.v1`: those that `encodeEngagement` writes, copied from the request. This runs for every event that
 * comes in, so it writes where the bytes stay, without the writer that other messages share.
 */
export function encodePlainEngagement(
  { bytes, places }: PlainEngagements,
  index: number,
  { occurredAtMs, receivedAtMs, userId, sourceTag }: StoredFacts,
): Uint8Array {
  const most = userId === null ? maxBytes : maxBytes + 3 * userId.length
  if (used + most > slabBytes) {
    slab = new Uint8Array(Math.max(slabBytes, most))
    used = 0
  }
  const to = slab
  const base = index * placesPerEngagement
  const start = used
  let at = writeRange(to, start, textKey(1), bytes, places[base + place.eventId]!, places[base + place.eventId + 1]!)
  at =
    userId === null
      ? writeRange(to, at, textKey(2), bytes, places[base + place.userId]!, places[base + place.userId + 1]!)
      : writeText(to, at, textKey(2), userId)
  at = writeRange(to, at, textKey(3), bytes, places[base + place.sessionId]!, places[base + place.sessionId + 1]!)
  at = writeNumber(to, at, numberKey(4), places[base + place.action]!)
  at = writeRange(to, at, textKey(5), bytes, places[base + place.pinId]!, places[base + place.pinId + 1]!)
  at = writeRange(to, at, textKey(9), bytes, places[base + place.boardId]!, places[base + place.boardId + 1]!)
  at = writeTime(to, at, numberKey(10), occurredAtMs)
  at = writeTime(to, at, numberKey(11), receivedAtMs)
  at = writeRange(to, at, textKey(12), bytes, places[base + place.feedId]!, places[base + place.feedId + 1]!)
  const position = places[base + place.position]!
  if (position >= 0) at = writePresent(to, at, numberKey(13), position)
  at = writeNumber(to, at, numberKey(14), places[base + place.surface]!)
  const dwellMs = places[base + place.dwellMs]!
  if (dwellMs >= 0) at = writePresent(to, at, numberKey(15), dwellMs)
  if (sourceTag !== null) at = writeVarint(to, writeVarint(to, at, sourceTagKey), sourceTag)
  used = at
  return new Uint8Array(to.buffer, start, at - start)
}

function writeRange(to: Uint8Array, from: number, key: number, bytes: Uint8Array, first: number, end: number): number {
  const length = end - first
  if (length <= 0) return from
  let at = from
  to[at++] = key
  if (length < 0x80) to[at++] = length
  else at = writeVarint(to, at, length)
  for (let i = first; i < end; i++) to[at++] = bytes[i]!
  return at
}

function writeText(to: Uint8Array, from: number, key: number, text: string): number {
  if (text === '') return from
  const length = Buffer.byteLength(text)
  to[from] = key
  const at = writeVarint(to, from + 1, length)
  Buffer.from(to.buffer, to.byteOffset, to.byteLength).write(text, at)
  return at + length
}

/** Omits zero, as the generated code does. The number is below 2^31. */
function writeNumber(to: Uint8Array, from: number, key: number, value: number): number {
  return value === 0 ? from : writePresent(to, from, key, value)
}

function writePresent(to: Uint8Array, from: number, key: number, value: number): number {
  to[from] = key
  return writeSmall(to, from + 1, value)
}

function writeSmall(to: Uint8Array, from: number, value: number): number {
  let at = from
  let rest = value
  while (rest >= 0x80) {
    to[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  to[at++] = rest
  return at
}

const bits28 = 0x10000000

/** Writes a time, and omits zero. Those after January 1970 begin with four whole bytes, for which the general writer would divide five times. */
function writeTime(to: Uint8Array, from: number, key: number, timeMs: number): number {
  if (timeMs === 0) return from
  to[from] = key
  if (!(timeMs >= bits28) || !Number.isSafeInteger(timeMs)) return writeVarint(to, from + 1, timeMs)
  const high = Math.floor(timeMs / bits28)
  const low = timeMs - high * bits28
  to[from + 1] = (low & 0x7f) | 0x80
  to[from + 2] = ((low >>> 7) & 0x7f) | 0x80
  to[from + 3] = ((low >>> 14) & 0x7f) | 0x80
  to[from + 4] = (low >>> 21) | 0x80
  return writeSmall(to, from + 5, high)
}
