import { actions } from '@freshet/domain/engagement'
import { maxIdCharacters } from '@freshet/domain/ids'
import {
  beginRow,
  emptyRows,
  pinActions,
  place,
  placesPerEngagement,
  rowsOf,
  type PlainEngagements,
} from '../bytes/plain-engagements.ts'
import { engagementRules } from './engagement.ts'
import { parseTime } from './time.ts'

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1')
/** Names of fields with the quotation mark that ends them. */
const field = {
  eventId: ascii('eventId"'),
  userId: ascii('userId"'),
  sessionId: ascii('sessionId"'),
  pinId: ascii('pinId"'),
  boardId: ascii('boardId"'),
  feedId: ascii('feedId"'),
  position: ascii('position"'),
  dwellMs: ascii('dwellMs"'),
  action: ascii('action"'),
  surface: ascii('surface"'),
  occurredAt: ascii('occurredAt"'),
  engagements: ascii('engagements"'),
  sentAt: ascii('sentAt"'),
  clockOffsetMs: ascii('clockOffsetMs"'),
}
const pinActionNames = pinActions.map(({ number, action }) => ({ number, name: ascii(`${action}"`) }))
const saveNumber = actions.indexOf('save') + 1
const unsaveNumber = actions.indexOf('unsave') + 1
const surfaceNames = [ascii('home"'), ascii('related"')]

const [quote, comma, colon, backslash, minus, zero] = [0x22, 0x2c, 0x3a, 0x5c, 0x2d, 0x30]
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
/** A bit for each required field, and one for each other: a field that comes twice is not plain. */
const bit = { eventId: 1, userId: 2, pinId: 4, action: 8, occurredAt: 16, sessionId: 32, boardId: 64, feedId: 128 }
const numberBit = { position: 256, dwellMs: 512, surface: 1024 }
const required = bit.eventId | bit.userId | bit.pinId | bit.action | bit.occurredAt
const maxClockOffsetDigits = 13

// The state of the reading in progress. Reading is synchronous and never nested, and locals of closures would be slower.
const noBytes = Buffer.alloc(0)
let input: Buffer = noBytes
let at = 0
let failed = false
const rows = emptyRows()
const { places, times } = rows
let count = 0
/** The day of the event before, as text and as time: events are nearly always of one day. */
const dayBytes = new Uint8Array(10)
let dayStartMs = Number.NaN

/**
 * Reads a batch of engagements, `{"engagements": […], "sentAt": …, "clockOffsetMs": …}`. null: it is not plain or has a problem, or has more than
 * `maxEvents` events; `parseEngagementJson` must read it.
 */
export function readPlainEngagements(bytes: Buffer, maxEvents: number): PlainEngagements | null {
  input = bytes
  at = 0
  failed = false
  count = 0
  const read = readBatch(maxEvents)
  input = noBytes
  if (failed || read === null || count === 0) return null
  return {
    bytes,
    count,
    ...rowsOf(rows, count),
    ...read,
  }
}

function readBatch(maxEvents: number): Pick<PlainEngagements, 'sentAtMs' | 'clockOffsetMs'> | null {
  let [hasEvents, sentAtMs, clockOffsetMs] = [false, null as number | null, null as number | null]
  if (skip() !== openObject) return null
  at++
  do {
    if (skip() !== quote) return null
    at++
    if (input[at] === 0x65 /* e */ && !hasEvents && isNext(field.engagements)) {
      hasEvents = true
      readEvents(maxEvents)
    } else if (input[at] === 0x73 /* s */ && sentAtMs === null && isNext(field.sentAt)) {
      sentAtMs = readSentAt()
    } else if (input[at] === 0x63 /* c */ && clockOffsetMs === null && isNext(field.clockOffsetMs)) {
      clockOffsetMs = readOffset()
    } else return null
    if (failed) return null
  } while (hasMore(closeObject))
  skip()
  if (failed || !hasEvents || at !== input.length) return null
  return { sentAtMs, clockOffsetMs: clockOffsetMs ?? 0 }
}

function readEvents(maxEvents: number): void {
  if (value() !== openArray) return fail()
  at++
  do {
    if (count >= maxEvents) return fail()
    if (skip() !== openObject) return fail()
    at++
    readEvent()
    count++
  } while (!failed && hasMore(closeArray))
}

function readEvent(): void {
  const base = count * placesPerEngagement
  beginRow(rows, count)
  let seen = 0
  do {
    if (skip() !== quote) return fail()
    const known = readField(++at, base)
    if (known === 0 || (seen & known) !== 0) return fail()
    seen |= known
  } while (hasMore(closeObject))
  if ((seen & required) !== required) return fail()
  const action = places[base + place.action]
  if ((seen & bit.boardId) !== 0 && action !== saveNumber && action !== unsaveNumber) fail()
}

/** Reads the field whose name begins at `from`. Returns its bit; 0: unknown, or a value that is not plain. */
function readField(from: number, base: number): number {
  switch (input[from]) {
    case 0x65: // e
      return isNext(field.eventId) ? readId(base + place.eventId, bit.eventId) : 0
    case 0x75: // u
      return isNext(field.userId) ? readId(base + place.userId, bit.userId) : 0
    case 0x73: // s
      if (isNext(field.sessionId)) return readId(base + place.sessionId, bit.sessionId)
      return isNext(field.surface) ? readSurface(base) : 0
    case 0x61: // a
      return isNext(field.action) ? readAction(base) : 0
    case 0x70: // p
      if (isNext(field.pinId)) return readId(base + place.pinId, bit.pinId)
      return isNext(field.position)
        ? readWhole(base + place.position, engagementRules.position.max, numberBit.position)
        : 0
    case 0x6f: // o
      return isNext(field.occurredAt) ? readOccurredAt() : 0
    case 0x66: // f
      return isNext(field.feedId) ? readId(base + place.feedId, bit.feedId) : 0
    case 0x64: // d
      return isNext(field.dwellMs) ? readWhole(base + place.dwellMs, engagementRules.dwellMs.max, numberBit.dwellMs) : 0
    case 0x62: // b
      return isNext(field.boardId) ? readName(base + place.boardId) : 0
    default:
      return 0
  }
}

/** Whether the bytes at `at` are these; moves behind them. */
function isNext(word: Uint8Array): boolean {
  const bytes = input
  const from = at
  const { length } = word
  for (let i = 0; i < length; i++) if (bytes[from + i] !== word[i]) return false
  at = from + length
  return true
}

function readId(into: number, known: number): number {
  if (value() !== quote) return 0
  const bytes = input
  const from = at + 1
  let to = from
  for (; ; to++) {
    const byte = bytes[to] ?? 0
    if (byte === quote) break
    if (byte < 0x21 || byte > 0x7e || byte === backslash) return 0
  }
  if (to === from || to - from > maxIdCharacters) return 0
  places[into] = from
  places[into + 1] = to
  at = to + 1
  return known
}

function readName(into: number): number {
  if (value() !== quote) return 0
  const from = ++at
  for (;;) {
    const byte = input[at] ?? 0
    if (byte === quote) break
    if (byte < 0x20 || byte > 0x7e || byte === backslash) return 0
    at++
  }
  if (at === from || at - from > maxIdCharacters || input[from] === 0x20 || input[at - 1] === 0x20) return 0
  places[into] = from
  places[into + 1] = at++
  return bit.boardId
}

function readAction(base: number): number {
  if (value() !== quote) return 0
  at++
  const first = input[at]
  for (let i = 0; i < pinActionNames.length; i++) {
    const { number, name } = pinActionNames[i]!
    if (first !== name[0] || !isNext(name)) continue
    places[base + place.action] = number
    return bit.action
  }
  return 0
}

function readSurface(base: number): number {
  if (value() !== quote) return 0
  at++
  for (let i = 0; i < surfaceNames.length; i++) {
    if (!isNext(surfaceNames[i]!)) continue
    places[base + place.surface] = i + 1
    return numberBit.surface
  }
  return 0
}

function readWhole(into: number, max: number, known: number): number {
  value()
  const number = readDigits()
  if (failed || number > max) return 0
  places[into] = number
  return known
}

/** A whole number without sign, fraction and exponent. The byte behind it is checked by who reads on. */
function readDigits(): number {
  const from = at
  let number = 0
  for (; at - from <= maxClockOffsetDigits; at++) {
    const digit = (input[at] ?? 0) - zero
    if (digit < 0 || digit > 9) break
    number = number * 10 + digit
  }
  if (at === from || at - from > maxClockOffsetDigits || (input[from] === zero && at - from > 1)) fail()
  return number
}

function readOffset(): number {
  if (value() !== minus) return readDigits()
  at++
  const number = readDigits()
  if (number === 0) fail()
  return -number
}

function readSentAt(): number {
  if (value() !== quote) {
    fail()
    return 0
  }
  const from = ++at
  while (at - from <= 40 && input[at] !== quote) at++
  const timeMs = parseTime(textAt(from, at++))
  if (Number.isNaN(timeMs)) fail()
  return timeMs
}

/** Reads `"2026-01-31T12:00:00.000Z"`; no other form is plain. */
function readOccurredAt(): number {
  if (value() !== quote) return 0
  const from = ++at
  const form = input[from + 10] === 0x54 && input[from + 13] === colon && input[from + 16] === colon
  if (!form || input[from + 19] !== 0x2e || input[from + 23] !== 0x5a || input[from + 24] !== quote) return 0
  const hour = twoDigits(from + 11)
  const minute = twoDigits(from + 14)
  const second = twoDigits(from + 17)
  const ms = twoDigits(from + 20) * 10 + oneDigit(from + 22)
  if (!(hour <= 23 && minute <= 59 && second <= 59) || Number.isNaN(ms)) return 0
  if (!isDayKnown(from)) {
    dayStartMs = parseTime(`${textAt(from, from + 10)}T00:00:00.000Z`)
    for (let i = 0; i < 10; i++) dayBytes[i] = input[from + i]!
  }
  const timeMs = dayStartMs + hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms
  if (!(timeMs > 0)) return 0
  times[count] = timeMs
  at = from + 25
  return bit.occurredAt
}

function isDayKnown(from: number): boolean {
  for (let i = 0; i < 10; i++) if (input[from + i] !== dayBytes[i]) return false
  return true
}

function twoDigits(from: number): number {
  return oneDigit(from) * 10 + oneDigit(from + 1)
}

function oneDigit(from: number): number {
  const digit = (input[from] ?? 0) - zero
  return digit >= 0 && digit <= 9 ? digit : Number.NaN
}

function textAt(from: number, to: number): string {
  return input.toString('latin1', from, to)
}

/** Moves behind the colon of a field and returns the first byte of its value. */
function value(): number {
  if (skip() !== colon) {
    fail()
    return 0
  }
  at++
  return skip()
}

/** Moves behind a comma; false: behind `close`. */
function hasMore(close: number): boolean {
  const byte = failed ? 0 : skip()
  at++
  if (byte === comma) return true
  if (byte !== close) fail()
  return false
}

/** Moves to the next byte that is not white space, and returns it; 0: none is left. */
function skip(): number {
  const bytes = input
  for (let from = at; ; from++) {
    const byte = bytes[from] ?? 0
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
      at = from
      return byte
    }
  }
}

function fail(): void {
  failed = true
}
