import { actions, surfaces, wholeWeight, type Act, type Subject } from '@freshet/domain/engagement'
import { asId, type BoardId, type CreatorId, type PinId, type SessionId, type TopicId } from '@freshet/domain/ids'
import type { UserLimits } from '@freshet/domain/user-state'
import { ContractError } from '../errors.ts'
import type { TailEngagement } from '../gen/freshet/state/v1/state.ts'
import { varintColumn } from '../bytes/varints.ts'
import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { actionNumber, weightOf } from './engagement.ts'
import { subjectKinds, type ScannedEngagement } from './engagement-scan.ts'

/** Version of the layout of a user's state without words that this code writes. */
export const userStateVersion = 4

/** The layout of a value with a blocked word. It is layout 4 with words, so that releases that do not know words refuse these values and no others. */
export const wordsVersion = 5

/** The layout of a value whose tail has a weight, and the newest that this code reads: releases that do not know weights refuse these values and no others. */
export const weightsVersion = 6

/**
 * Version of the rules by which this code folds users. Raise it when the same engagements lead to another state, or when the
 * meaning of a state changes. A change of the bytes alone raises `userStateVersion`. Readers keep the rules of the previous version.
 */
export const userFoldVersion = 1

const wordKind = subjectKinds.indexOf('word')
const versionField = 1
const foldField = 27
const tailField = 22
const limitsField = 23
const markField = 25
/** The high half of a mark, plus the fold version. It distinguishes a mark from the end of a value of layout 1, which has none. */
const markTag = 0x7a14
const mostInMark = 0xffff
/**
 * The length of a tail to which nothing is appended, in any release: the value must be read first. So it is with the value of a user who
 * was merged into another, and with a value that has words or weights: an append without them would make it claim layout 4.
 */
export const fullTailBytes = mostInMark

/** The number of bytes at a value's end that hold the length of its tail. */
export const tailMarkBytes = 6

/** Maximum size of an engagement in a tail, bytes. */
export function tailBytesAtMost(scan: ScannedEngagement): number {
  const { action, subjectAt, subjectTo, boardAt, boardTo, sessionAt, sessionTo } = scan
  const always = 19 + (subjectTo - subjectAt)
  return action === 'impression' ? always : always + 15 + (boardTo - boardAt) + (sessionTo - sessionAt)
}

/** Maximum size of an append without its engagements, bytes. */
export const appendBytesAtMost = 48

/**
 * The bytes to append to a user's value to add these engagements, and the new length of its tail. `tailBytes`: the length of
 * its current tail. The bytes always contain the version and the limits, since the value may have expired in the meantime.
 */
export function encodeUserTail(
  accepted: readonly ScannedEngagement[],
  tailBytes: number,
  limits: UserLimits,
): { readonly bytes: Uint8Array; readonly tailBytes: number } {
  const words = accepted.some(({ subjectKind }) => subjectKind === wordKind)
  const weights = accepted.some(({ weight }) => weight !== wholeWeight)
  let after = tailBytes + tailMarkBytes
  const bytes = encodeFields((to) => {
    to.uint(versionField, weights ? weightsVersion : words ? wordsVersion : userStateVersion)
    for (const each of accepted) {
      to.message(tailField, () => {
        writeTailEngagement(to, each)
      })
    }
    writeUserLimits(to, limits)
    writeFoldVersion(to, userFoldVersion)
    after = words || weights ? fullTailBytes : after + to.length()
    writeTailMark(to, after)
  })
  return { bytes, tailBytes: after }
}

function writeTailEngagement(to: FieldWriter, scan: ScannedEngagement): void {
  const { bytes, action, subjectKind, occurredAtMs, dwellMs, weight } = scan
  to.uint(1, actionNumber(action))
  to.range(subjectKind === wordKind ? 12 : 2 + subjectKind, bytes, scan.subjectAt, scan.subjectTo)
  to.uint(6, occurredAtMs)
  // For an impression the state stores only the pin, the time and the weight.
  if (action !== 'impression') {
    to.range(8, bytes, scan.boardAt, scan.boardTo)
    to.uint(9, scan.surface)
    to.optional(10, dwellMs < 0 ? null : dwellMs)
    to.range(11, bytes, scan.sessionAt, scan.sessionTo)
  }
  if (weight !== wholeWeight) to.uint(13, weight)
}

/** Limits of a tail that does not contain them. Part of layouts 2 to 4: do not change them when the defaults change. */
const unnamedLimits = [200, 1000, 32, 56, 604_800_000, 1500, 1_800_000, 24, 100_000]

/** Writes the limits as a field of the message. Writes nothing for the usual limits. */
export function writeUserLimits(to: FieldWriter, limits: UserLimits): void {
  const { seen, sessions } = limits
  const column = [
    limits.maxRecentActions,
    limits.maxRelationsPerKind,
    limits.maxBoards,
    seen.maxRecent,
    seen.generationMs,
    seen.maxPerGeneration,
    sessions.gapMs,
    sessions.maxKept,
    limits.maxOlderRelations,
  ]
  if (column.some((cap, i) => cap !== unnamedLimits[i])) to.varints(limitsField, column)
}

/** Reads the limits from their field. Throws CODEC_INVALID if some are missing. */
export function userLimitsOf(bytes: Uint8Array): UserLimits {
  const column = bytes.length === 0 ? unnamedLimits : varintColumn(bytes)
  if (column.length < 8 || column.includes(0)) throw invalid('limits', 'are incomplete')
  const at = (index: number): number => column[index] ?? 0
  return {
    maxRecentActions: at(0),
    maxRelationsPerKind: at(1),
    maxBoards: at(2),
    seen: { maxRecent: at(3), generationMs: at(4), maxPerGeneration: at(5) },
    sessions: { gapMs: at(6), maxKept: at(7) },
    // Layouts before 4 have no such limit.
    maxOlderRelations: column[8] ?? unnamedLimits[8] ?? 0,
  }
}

/** Writes the fold version of a value or of an appended part. Writes nothing for version 1. */
export function writeFoldVersion(to: FieldWriter, version: number): void {
  to.uint(foldField, version === 1 ? 0 : version)
}

/** Writes the end of a value: how many of its bytes are the tail. */
export function writeTailMark(to: FieldWriter, tailBytes: number, foldVersion = userFoldVersion): void {
  to.fixed32(markField, (markTag + foldVersion) * 0x10000 + Math.min(tailBytes, mostInMark))
}

/**
 * The length of the tail of a value that ends in these bytes; 0 for layout 1 and for a value without a tail. Infinity for a
 * value of another fold version: the updater must not append to it, but must read it and, if it can, write it whole.
 */
export function tailBytesIn(end: Uint8Array | null): number {
  if (end === null || end.length < tailMarkBytes) return 0
  const at = end.length - tailMarkBytes
  const view = new DataView(end.buffer, end.byteOffset + at, tailMarkBytes)
  if (view.getUint16(0, true) !== tailMarkKey) return 0
  return view.getUint16(4, true) === markTag + userFoldVersion ? view.getUint16(2, true) : Number.POSITIVE_INFINITY
}

/** The fold version of a user's stored value, read from its mark; 1 for a value of layout 1, which has no mark. */
export function userFoldVersionIn(value: Uint8Array): number {
  const at = value.length - tailMarkBytes
  if (at < 0) return 1
  const view = new DataView(value.buffer, value.byteOffset + at, tailMarkBytes)
  const version = view.getUint16(4, true) - markTag
  return view.getUint16(0, true) === tailMarkKey && version > 0 ? version : 1
}

/** The field's key as its two bytes. */
const tailMarkKey = ((markField * 8 + 5) & 0x7f) | 0x80 | (((markField * 8 + 5) >>> 7) << 8)

/** Reads an engagement of a tail. Throws CODEC_INVALID, naming the field. */
export function fromTailEngagement(message: TailEngagement): Act {
  const action = actions[message.action - 1]
  if (action === undefined) throw invalid('action', `has the unknown number ${message.action}`)
  const { occurredAtMs } = message
  if (!Number.isSafeInteger(occurredAtMs) || occurredAtMs <= 0) throw invalid('occurred_at_ms', `is ${occurredAtMs}`)
  return {
    action,
    subject: subjectOf(message),
    boardId: message.savedToBoardId === '' ? null : id<BoardId>('saved_to_board_id', message.savedToBoardId),
    sessionId: message.sessionId === '' ? null : id<SessionId>('session_id', message.sessionId),
    occurredAtMs,
    shown: { feedId: null, position: null, surface: surfaces[message.surface - 1] ?? null },
    dwellMs: message.dwellMs ?? null,
    ...weightOf(message.weightThousandths),
  }
}

/** Reads an accepted engagement from its bytes in the log, for folding. */
export function actOfScan(scan: ScannedEngagement): Act {
  const { bytes, action, occurredAtMs, boardAt, boardTo, sessionAt, sessionTo, dwellMs, weight } = scan
  const text = (from: number, to: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
  const about = text(scan.subjectAt, scan.subjectTo)
  return {
    action,
    subject: subjectNamed(subjectKinds[scan.subjectKind] ?? 'pin', about),
    boardId: boardTo === boardAt ? null : (text(boardAt, boardTo) as BoardId),
    sessionId: sessionTo === sessionAt ? null : (text(sessionAt, sessionTo) as SessionId),
    occurredAtMs,
    shown: { feedId: null, position: null, surface: surfaces[scan.surface - 1] ?? null },
    dwellMs: dwellMs < 0 ? null : dwellMs,
    ...(weight !== wholeWeight && { weightThousandths: weight }),
  }
}

function subjectOf({ pinId, boardId, creatorId, topicId, word }: TailEngagement): Subject {
  if (word !== '') return { kind: 'word', word: id<PinId>('word', word) }
  if (pinId !== '') return { kind: 'pin', pinId: id<PinId>('pin_id', pinId) }
  if (boardId !== '') return { kind: 'board', boardId: id<BoardId>('board_id', boardId) }
  if (creatorId !== '') return { kind: 'creator', creatorId: id<CreatorId>('creator_id', creatorId) }
  return { kind: 'topic', topicId: id<TopicId>('topic_id', topicId) }
}

function subjectNamed(kind: Subject['kind'], about: string): Subject {
  if (kind === 'pin') return { kind, pinId: about as PinId }
  if (kind === 'board') return { kind, boardId: about as BoardId }
  if (kind === 'creator') return { kind, creatorId: about as CreatorId }
  if (kind === 'topic') return { kind, topicId: about as TopicId }
  return { kind, word: about }
}

function id<Id extends PinId | BoardId | CreatorId | TopicId | SessionId>(field: string, text: string): Id {
  try {
    return asId<Id>(text)
  } catch (error) {
    throw invalid(field, (error as Error).message)
  }
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `freshet.state.v1.TailEngagement.${field} ${problem}`)
}
