import { actions } from '@freshet/domain/engagement'
import { maxIdCharacters } from '@freshet/domain/ids'
import { engagementRules } from '../json/engagement.ts'
import { maxTimeMs, unitFault } from '../json/time.ts'
import {
  beginRow,
  emptyRows,
  pinActions,
  place,
  placesPerEngagement,
  rowsOf,
  type PlainEngagements,
} from './plain-engagements.ts'

// The state of the reading in progress, as in `json/plain-reader.ts`.
const noBytes = Buffer.alloc(0)
let count = 0
const rows = emptyRows()
const { places, times } = rows
let input: Buffer = noBytes
let at = 0
let failed = false

const [varintType, textType] = [0, 2]
const aboutPins: ReadonlySet<number> = new Set(pinActions.map(({ number }) => number))
const saves: ReadonlySet<number> = new Set([actions.indexOf('save') + 1, actions.indexOf('unsave') + 1])
/** Places of texts, by field number. */
const textPlaces = new Map<number, number>([
  [1, place.eventId],
  [2, place.userId],
  [3, place.sessionId],
  [5, place.pinId],
  [9, place.boardId],
  [12, place.feedId],
])
const boardField = 9

/**
 * Reads the message of a batch of engagements, `PostEngagementsRequest` or `StreamEngagementsRequest`, as `readPlainEngagements` reads JSON. null: it is
 * not plain or has a problem, or has more than `maxEvents` events; `parseEngagementMessage` must read it.
 */
export function readPlainEngagementMessages(bytes: Buffer, maxEvents: number): PlainEngagements | null {
  input = bytes
  at = 0
  failed = false
  count = 0
  let sentAtMs: number | null = null
  let clockOffsetMs: number | null = null
  while (at < bytes.length && !failed) {
    const key = varint()
    if (key === keyOf(1, textType) && count < maxEvents) readEngagement(varint())
    else if (key === keyOf(2, varintType) && sentAtMs === null) sentAtMs = varint()
    else if (key === keyOf(3, varintType) && clockOffsetMs === null) clockOffsetMs = varint()
    else failed = true
  }
  input = noBytes
  if (failed || count === 0 || (sentAtMs !== null && unitFault(sentAtMs) !== null)) return null
  return {
    bytes,
    count,
    ...rowsOf(rows, count),
    sentAtMs,
    clockOffsetMs: clockOffsetMs ?? 0,
  }
}

function keyOf(field: number, type: number): number {
  return field * 8 + type
}

function readEngagement(length: number): void {
  const end = at + length
  const base = count * placesPerEngagement
  beginRow(rows, count)
  if (end > input.length) failed = true
  let before = 0
  while (at < end && !failed) {
    const key = varint()
    const field = key >>> 3
    // In the order of their numbers, as every encoder writes them, none comes twice.
    if (field <= before) failed = true
    before = field
    if ((key & 7) === textType) readText(field, base)
    else if ((key & 7) === varintType) readNumber(field, base)
    else failed = true
  }
  const action = places[base + place.action]!
  if (at !== end || !aboutPins.has(action) || !(times[count]! > 0)) failed = true
  if (places[base + place.eventId + 1] === 0 || places[base + place.userId + 1] === 0) failed = true
  if (places[base + place.pinId + 1] === 0) failed = true
  if (places[base + place.boardId + 1] !== 0 && !saves.has(action)) failed = true
  count++
}

function readText(field: number, base: number): void {
  const into = textPlaces.get(field)
  const length = varint()
  const from = at
  const to = from + length
  const bytes = input
  if (into === undefined || length < 1 || length > maxIdCharacters || to > bytes.length) {
    failed = true
    return
  }
  const least = field === boardField ? 0x20 : 0x21
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    // An id with these would have to be escaped in JSON, where answers repeat it.
    if (byte < least || byte > 0x7e || byte === 0x22 || byte === 0x5c) failed = true
  }
  if (bytes[from] === 0x20 || bytes[to - 1] === 0x20) failed = true
  places[base + into] = from
  places[base + into + 1] = to
  at = to
}

function readNumber(field: number, base: number): void {
  const number = varint()
  if (field === 4) places[base + place.action] = number <= actions.length ? number : 0
  else if (field === 10) {
    if (number > maxTimeMs || unitFault(number) !== null) failed = true
    times[count] = number
  } else if (field === 11) return
  else if (field === 13 && number <= engagementRules.position.max) places[base + place.position] = number
  else if (field === 14 && (number === 1 || number === 2)) places[base + place.surface] = number
  else if (field === 15 && number <= engagementRules.dwellMs.max) places[base + place.dwellMs] = number
  else failed = true
}

/** A number of at most 49 bits; larger ones, and negative ones, are not plain. */
function varint(): number {
  const bytes = input
  let from = at
  let value = 0
  for (let scale = 1; scale < 2 ** 49; scale *= 128) {
    const byte = bytes[from++]
    if (byte === undefined) break
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      at = from
      return value
    }
  }
  failed = true
  return 0
}
