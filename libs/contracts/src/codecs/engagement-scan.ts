import { actions, positiveActions, surfaces, type Action, type PinAct, type Subject } from '@freshet/domain/engagement'
import { pinStateKey, subjectStateKey } from '@freshet/domain/pin-state'
import { encodeFields } from '../bytes/wire.ts'
import { maxSourcePartitions, writeEngagement, type ReceivedEngagement, type Source } from './onward.ts'

/** Kinds of subject in the order of their fields. */
export const subjectKinds = ['pin', 'board', 'creator', 'topic'] as const satisfies readonly Subject['kind'][]

/**
 * Where the fields of an engagement stand in its bytes: what is needed of it for every event, without a string for each
 * id. A field from `…At` to `…To`; both 0 where it is empty.
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
}

/** The bytes of a `PinEngagement`, scanned alike. */
export interface ScannedPinEngagement {
  readonly scan: ScannedEngagement
  readonly source: Source
}

/**
 * Scans the bytes of an `Engagement` message. null: they are not the plain case (ids of 1–127 visible ASCII characters, no
 * unknown field, everything there), and whether they are one at all is for `decodeReceivedEngagement` to say.
 */
export function scanEngagement(bytes: Uint8Array): ScannedEngagement | null {
  return scan(bytes, 0, bytes.length, true)
}

/** The same of the bytes of a `PinEngagement`. null: not the plain case, for `decodePinEngagement`. */
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

/** The same for a decoded engagement, encoded again: accepts all valid ids. */
export function scannedOf({ engagement, receivedAtMs }: ReceivedEngagement): ScannedEngagement {
  const bytes = encodeFields((to) => {
    writeEngagement(to, engagement, receivedAtMs)
  })
  const found = scan(bytes, 0, bytes.length, false)
  if (found === null) throw new RangeError('an engagement that was written is not one')
  return found
}

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
  while (at < end) {
    const tag = bytes[at++] ?? 0
    const field = tag >>> 3
    let value = bytes[at++] ?? 0x80
    if (value >= 0x80) {
      value &= 0x7f
      for (let scale = 128, byte = 0x80; byte >= 0x80; scale *= 128) {
        if (at >= end || scale > 2 ** 49) return null
        byte = bytes[at++] ?? 0
        value += (byte & 0x7f) * scale
      }
    }
    if (tag > 0x7f) return null
    if ((tag & 7) === 0) {
      if (field === 4) action = value
      else if (field === 10) occurredAtMs = value
      else if (field === 11) receivedAtMs = value
      else if (field === 13) position = value
      else if (field === 14) surface = value
      else if (field === 15) dwellMs = value
      else return null
      continue
    }
    const to = at + value
    if ((tag & 7) !== 2 || to > end) return null
    if (plain && !isPlain(bytes, at, to)) return null
    if (field === 1) {
      eventAt = at
      eventTo = to
    } else if (field === 2) {
      userAt = at
      userTo = to
    } else if (field === 3) {
      sessionAt = at
      sessionTo = to
    } else if (field >= 5 && field <= 8) {
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
  // A last number that goes on behind the message.
  if (at !== end) return null
  const name = actions[action - 1]
  if (name === undefined || subjectField === 0 || eventTo === 0 || userTo === 0) return null
  if (occurredAtMs <= 0 || occurredAtMs > Number.MAX_SAFE_INTEGER || receivedAtMs > Number.MAX_SAFE_INTEGER) return null
  if (surface > surfaces.length || dwellMs > 0xffffffff || position > 0xffffffff) return null
  return {
    bytes,
    action: name,
    subjectKind: subjectField - 5,
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
  }
}

/** Visible ASCII, of a length that no id may pass. An empty one is not plain: absent fields are not written. */
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

/** The memory last read from: messages share it, and a view for each text costs more than reading it. */
let memory: Buffer = Buffer.alloc(0)

/** Whether `key` is one of `scannedPinKeys`, the `index`th, without making them. For what `scanEngagement` found plain. */
export function isScannedPinKey(key: string, index: number, engagement: ScannedEngagement): boolean {
  const { bytes, subjectKind, subjectAt, subjectTo, boardAt, boardTo } = engagement
  if (index === 0) return isKey(key, subjectKinds[subjectKind] ?? 'pin', bytes, subjectAt, subjectTo)
  return index === 1 && boardTo !== boardAt && isKey(key, 'board', bytes, boardAt, boardTo)
}

function isKey(key: string, kind: Subject['kind'], bytes: Uint8Array, from: number, to: number): boolean {
  const prefix = kind === 'pin' ? pinStateKey('') : subjectStateKey(kind, '')
  const { length } = prefix
  if (key.length !== length + to - from || !key.startsWith(prefix)) return false
  for (let i = from; i < to; i++) if (key.charCodeAt(length + i - from) !== bytes[i]) return false
  return true
}

/** The keys of `pinStateKeys`. */
export function scannedPinKeys({ bytes, subjectKind, subjectAt, subjectTo, boardAt, boardTo }: ScannedEngagement) {
  const kind = subjectKinds[subjectKind] ?? 'pin'
  const about = textAt(bytes, subjectAt, subjectTo)
  const first = kind === 'pin' ? pinStateKey(about) : subjectStateKey(kind, about)
  return boardTo === boardAt ? [first] : [first, subjectStateKey('board', textAt(bytes, boardAt, boardTo))]
}

/** What the state of a pin depends on, from the bytes of an engagement. */
export function pinActOfScan(engagement: ScannedEngagement): PinAct {
  const { bytes, action, occurredAtMs, userAt, userTo, boardAt, boardTo, position } = engagement
  return {
    action,
    occurredAtMs,
    userId: positiveActions.includes(action) ? textAt(bytes, userAt, userTo) : null,
    boardId: boardTo === boardAt ? null : textAt(bytes, boardAt, boardTo),
    shown: { position: position < 0 ? null : position },
  }
}
