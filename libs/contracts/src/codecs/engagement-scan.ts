import {
  actions,
  maxSourceTag,
  positiveActions,
  surfaces,
  wholeWeight,
  type Action,
  type PinAct,
  type Subject,
} from '@freshet/domain/engagement'
import { pinStateKey, subjectStateKey } from '@freshet/domain/pin-state'
import { encodeFields } from '../bytes/wire.ts'
import { sourceTagField, weightField, writeEngagement } from './engagement.ts'
import { maxSourcePartitions, type ReceivedEngagement, type Source } from './onward.ts'

/** Kinds of subject in the order of their fields. */
export const subjectKinds = ['pin', 'board', 'creator', 'topic', 'word'] as const satisfies readonly Subject['kind'][]

/**
 * The positions of an engagement's fields in its bytes: enough to handle an event without a string for each id. A field
 * extends from `…At` to `…To`; both are 0 if it is empty.
 */
export interface ScannedEngagement {
  readonly bytes: Uint8Array
  readonly action: Action
  /** Index in `subjectKinds`. */
  readonly subjectKind: number
  readonly subjectAt: number
  readonly subjectTo: number
  readonly eventAt: number
  readonly eventTo: number
  readonly userAt: number
  readonly userTo: number
  readonly sessionAt: number
  readonly sessionTo: number
  readonly boardAt: number
  readonly boardTo: number
  readonly occurredAtMs: number
  readonly receivedAtMs: number
  /** 0: not known, else the index in `surfaces` plus one. */
  readonly surface: number
  /** −1: not known. */
  readonly dwellMs: number
  /** −1: not known. */
  readonly position: number
  /** Thousandths of a whole engagement, 1 to 1000. */
  readonly weight: number
}

/** The scanned bytes of a `PinEngagement`. */
export interface ScannedPinEngagement {
  readonly scan: ScannedEngagement
  readonly source: Source
}

/**
 * Scans the bytes of an `Engagement` message. null: they are not the plain case (ids of 1–127 visible ASCII characters, no
 * unknown field, all fields present). Then `decodeReceivedEngagement` decides whether they are an engagement.
 */
export function scanEngagement(bytes: Uint8Array): ScannedEngagement | null {
  return scan(bytes, 0, bytes.length, true)
}

/** Scans the bytes of a `PinEngagement`. null: not the plain case, which `decodePinEngagement` handles. */
export function scanPinEngagement(bytes: Uint8Array): ScannedPinEngagement | null {
  let engagement: ScannedEngagement | null = null
  let partition = 0
  let position = 0
  let index = 0
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++] ?? 0
    let value = 0
    for (let scale = 1, byte = 0x80; byte >= 0x80; scale *= 128) {
      if (at >= bytes.length || scale > 2 ** 49) return null
      byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * scale
    }
    if (tag === 10) {
      if (engagement !== null || at + value > bytes.length) return null
      engagement = scan(bytes, at, at + value, true)
      if (engagement === null) return null
      at += value
    } else if (tag === 16) partition = value
    else if (tag === 24) position = value
    else if (tag === 32) index = value
    else return null
  }
  if (engagement === null || partition >= maxSourcePartitions || index > 0xffffffff) return null
  if (position > Number.MAX_SAFE_INTEGER) return null
  return { scan: engagement, source: { partition, position, index } }
}

/** Encodes a decoded engagement and scans the bytes, with any valid ids. */
export function scannedOf({ engagement, receivedAtMs }: ReceivedEngagement): ScannedEngagement {
  const bytes = encodeFields((to) => {
    writeEngagement(to, engagement, receivedAtMs)
  })
  const found = scan(bytes, 0, bytes.length, false)
  if (found === null) throw new RangeError('the encoded engagement cannot be scanned')
  return found
}

const wordField = 16
/** The most characters of a word. */
const mostPlainWord = 64

function scan(bytes: Uint8Array, from: number, end: number, plain: boolean): ScannedEngagement | null {
  let at = from
  let action = 0
  let subjectField = 0
  let subjectAt = 0
  let subjectTo = 0
  let eventAt = 0
  let eventTo = 0
  let userAt = 0
  let userTo = 0
  let sessionAt = 0
  let sessionTo = 0
  let boardAt = 0
  let boardTo = 0
  let occurredAtMs = 0
  let receivedAtMs = 0
  let surface = 0
  let dwellMs = -1
  let position = -1
  let weight = wholeWeight
  let sourceTag = 1
  while (at < end) {
    const tag = bytes[at++] ?? 0
    // The keys of field 16, a word, of field 23, a weight, and of field 24, a source tag, have two bytes.
    const isLong = tag > 0x7f && bytes[at] === 0x01
    const isWord = isLong && tag === 0x82
    const isWeight = isLong && tag === 0xb8
    const isSourceTag = isLong && tag === 0xc0
    if (isWord || isWeight || isSourceTag) at++
    const field = isWord ? wordField : isWeight ? weightField : isSourceTag ? sourceTagField : tag >>> 3
    let value = bytes[at++] ?? 0x80
    if (value >= 0x80) {
      value &= 0x7f
      for (let scale = 128, byte = 0x80; byte >= 0x80; scale *= 128) {
        if (at >= end || scale > 2 ** 49) return null
        byte = bytes[at++] ?? 0
        value += (byte & 0x7f) * scale
      }
    }
    if (tag > 0x7f && !isWord && !isWeight && !isSourceTag) return null
    if ((tag & 7) === 0) {
      if (field === 4) action = value
      else if (field === 10) occurredAtMs = value
      else if (field === 11) receivedAtMs = value
      else if (field === 13) position = value
      else if (field === 14) surface = value
      else if (field === 15) dwellMs = value
      else if (isWeight) weight = value
      // The state of users and pins does not depend on it.
      else if (isSourceTag) sourceTag = value
      else return null
      continue
    }
    const to = at + value
    if ((tag & 7) !== 2 || to > end) return null
    if (plain && !isPlain(bytes, at, to)) return null
    if (plain && isWord && value > mostPlainWord) return null
    if (field === 1) {
      eventAt = at
      eventTo = to
    } else if (field === 2) {
      userAt = at
      userTo = to
    } else if (field === 3) {
      sessionAt = at
      sessionTo = to
    } else if ((field >= 5 && field <= 8) || isWord) {
      if (subjectField !== 0) return null
      subjectField = field
      subjectAt = at
      subjectTo = to
    } else if (field === 9) {
      boardAt = at
      boardTo = to
    } else if (field !== 12) return null
    at = to
  }
  // The last number extends beyond the message.
  if (at !== end) return null
  const name = actions[action - 1]
  if (name === undefined || subjectField === 0 || eventTo === 0 || userTo === 0) return null
  if (occurredAtMs <= 0 || occurredAtMs > Number.MAX_SAFE_INTEGER || receivedAtMs > Number.MAX_SAFE_INTEGER) return null
  if (weight < 1 || weight > wholeWeight || sourceTag < 1 || sourceTag > maxSourceTag) return null
  if (surface > surfaces.length || dwellMs > 0xffffffff || position > 0xffffffff) return null
  return {
    bytes,
    action: name,
    subjectKind: subjectField === wordField ? subjectKinds.indexOf('word') : subjectField - 5,
    subjectAt,
    subjectTo,
    eventAt,
    eventTo,
    userAt,
    userTo,
    sessionAt,
    sessionTo,
    boardAt,
    boardTo,
    occurredAtMs,
    receivedAtMs,
    surface,
    dwellMs,
    position,
    weight,
  }
}

/** Visible ASCII, not longer than an id may be. An empty field is not plain, since encoders omit empty fields. */
function isPlain(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from || to - from > 127) return false
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0
    if (byte < 0x21 || byte > 0x7e) return false
  }
  return true
}

/** The text of a field. */
export function textAt(bytes: Uint8Array, from: number, to: number): string {
  if (memory.buffer !== bytes.buffer) memory = Buffer.from(bytes.buffer)
  return memory.toString('utf8', bytes.byteOffset + from, bytes.byteOffset + to)
}

/** The buffer of the last read. Messages share it, and a new view for each text costs more than reading the text. */
let memory: Buffer = Buffer.alloc(0)

/** Whether `key` is the `index`th of `scannedPinKeys`, without creating them. For engagements that `scanEngagement` accepted. */
export function isScannedPinKey(key: string, index: number, engagement: ScannedEngagement): boolean {
  const { bytes, subjectKind, subjectAt, subjectTo, boardAt, boardTo } = engagement
  const kind = subjectKinds[subjectKind] ?? 'pin'
  if (kind === 'word') return false
  if (index === 0) return isKey(key, kind, bytes, subjectAt, subjectTo)
  return index === 1 && boardTo !== boardAt && isKey(key, 'board', bytes, boardAt, boardTo)
}

function isKey(
  key: string,
  kind: Exclude<Subject['kind'], 'word'>,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const prefix = kind === 'pin' ? pinStateKey('') : subjectStateKey(kind, '')
  const { length } = prefix
  if (key.length !== length + to - from || !key.startsWith(prefix)) return false
  for (let i = from; i < to; i++) if (key.charCodeAt(length + i - from) !== bytes[i]) return false
  return true
}

/** The keys of `pinStateKeys`. */
export function scannedPinKeys({ bytes, subjectKind, subjectAt, subjectTo, boardAt, boardTo }: ScannedEngagement) {
  const kind = subjectKinds[subjectKind] ?? 'pin'
  if (kind === 'word') return []
  const about = textAt(bytes, subjectAt, subjectTo)
  const first = kind === 'pin' ? pinStateKey(about) : subjectStateKey(kind, about)
  return boardTo === boardAt ? [first] : [first, subjectStateKey('board', textAt(bytes, boardAt, boardTo))]
}

/** The part of an engagement that the state of a pin depends on, read from the scanned bytes. */
export function pinActOfScan(engagement: ScannedEngagement): PinAct {
  const { bytes, action, occurredAtMs, userAt, userTo, boardAt, boardTo, position, weight } = engagement
  return {
    action,
    occurredAtMs,
    userId: positiveActions.includes(action) ? textAt(bytes, userAt, userTo) : null,
    boardId: boardTo === boardAt ? null : textAt(bytes, boardAt, boardTo),
    shown: { position: position < 0 ? null : position },
    ...(weight !== wholeWeight && { weightThousandths: weight }),
  }
}
