import { actionOfNumber } from '@freshet/contracts/codecs/engagement'
import { Surface, type Engagement as EngagementMessage } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type {
  Board as BoardMessage,
  Creator as CreatorMessage,
  Pin as PinMessage,
} from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { parseEngagementJson, type ParsedEngagement } from '@freshet/contracts/json/engagement'
import { parseBoardJson, parseCreatorJson, type ParsedBoard, type ParsedCreator } from '@freshet/contracts/json/entry'
import type { FieldFault } from '@freshet/contracts/json/fields'
import { parsePinJson, type ParsedPin } from '@freshet/contracts/json/pin'
import { createProblems, type Refused } from '@freshet/contracts/json/problems'
import { wholeWeight } from '@freshet/domain/engagement'
import { formatTime, maxTimeMs, minTimeMs, unitFault } from '@freshet/contracts/json/time'

/** Reads an engagement from its message by the rules for JSON. Reports all problems, with the field names of JSON. */
export function parseEngagementMessage(value: unknown, at: string): ParsedEngagement {
  const message = value as EngagementMessage
  const { occurredAtMs, action, surface, boardId, savedToBoardId } = message
  const faults = findGarbledIds({
    eventId: message.eventId,
    userId: message.userId,
    sessionId: message.sessionId,
    pinId: message.pinId,
    boardId: boardId ?? savedToBoardId,
    creatorId: message.creatorId,
    topicId: message.topicId,
    word: message.word,
    feedId: message.feedId,
  })
  const timeFault = occurredAtMs === 0 ? missingTime : (unitFault(occurredAtMs) ?? checkRange(occurredAtMs, 1))
  if (timeFault !== null) faults.set('occurredAt', timeFault)
  const actionName = actionOfNumber(action)
  if (actionName === null) faults.set('action', action === 0 ? missingAction : toUnknownNumber(action))
  const known = surface === Surface.HOME || surface === Surface.RELATED
  if (!known && surface !== Surface.UNSPECIFIED) faults.set('surface', toUnknownNumber(surface))
  if (boardId !== undefined && savedToBoardId !== '') {
    faults.set('savedToBoardId', {
      code: 'EVENT_SUBJECT',
      text: 'is not allowed with boardId; it is for saves of pins',
    })
  }
  const parsed = parseEngagementJson(
    {
      eventId: message.eventId,
      userId: message.userId,
      sessionId: present(message.sessionId),
      action: actionName ?? undefined,
      pinId: message.pinId,
      boardId: boardId ?? present(savedToBoardId),
      creatorId: message.creatorId,
      topicId: message.topicId,
      word: message.word,
      occurredAt: timeFault === null ? formatTime(occurredAtMs) : undefined,
      feedId: present(message.feedId),
      position: message.position,
      surface: known ? (surface === Surface.HOME ? 'home' : 'related') : undefined,
      dwellMs: message.dwellMs,
      weight: message.weightThousandths === undefined ? undefined : message.weightThousandths / wholeWeight,
    },
    at,
  )
  if (faults.size === 0) return parsed
  return { ...mergeProblems(faults, parsed, at), occurredAtMs: timeFault === null ? occurredAtMs : null }
}

/** Reads a catalogue change from its message by the rules for JSON. Reports all problems. */
export function parsePinMessage(value: unknown, at: string): ParsedPin {
  const message = value as PinMessage
  const { visualEmbedding: bytes } = message
  const faults = findGarbledIds({ pinId: message.pinId, creatorId: message.creatorId })
  const timeOf = (field: string, timeMs: number | undefined): string | undefined => {
    if (timeMs === undefined) return undefined
    const fault = unitFault(timeMs) ?? checkRange(timeMs, minTimeMs)
    if (fault === null) return formatTime(timeMs)
    faults.set(field, fault)
    return undefined
  }
  const whole = bytes.byteLength % 4 === 0
  if (!whole) {
    const text = `has ${bytes.byteLength} bytes, which is not a multiple of 4; give 4 bytes for each 32-bit float`
    faults.set('visualEmbedding', { code: 'EMBEDDING_INVALID', text })
  }
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parsed = parsePinJson(
    {
      pinId: message.pinId,
      title: message.title,
      description: message.description,
      topics: message.topics,
      creatorId: present(message.creatorId),
      createdAt: timeOf('createdAt', message.createdAtMs),
      locale: present(message.locale),
      imageUrl: present(message.imageUrl),
      visualEmbedding:
        bytes.byteLength === 0 || !whole
          ? undefined
          : Array.from({ length: bytes.byteLength / 4 }, (_, index) => numbers.getFloat32(index * 4, true)),
      availableFrom: timeOf('availableFrom', message.availableFromMs),
      expiresAt: timeOf('expiresAt', message.expiresAtMs),
      safetyLabels: message.safetyLabels,
      minAge: message.minAge,
      imageSignature: present(message.imageSignature),
      deleted: message.deleted,
      version: message.version,
    },
    at,
  )
  return faults.size === 0 ? parsed : mergeProblems(faults, parsed, at)
}

/** Reads a change of a creator from its message by the rules for JSON. Reports all problems. */
export function parseCreatorMessage(value: unknown, at: string): ParsedCreator {
  const { creatorId, name, imageUrl, suspended, deleted, version } = value as CreatorMessage
  const faults = findGarbledIds({ creatorId })
  const parsed = parseCreatorJson({ creatorId, name, imageUrl: present(imageUrl), suspended, deleted, version }, at)
  return faults.size === 0 ? parsed : mergeProblems(faults, parsed, at)
}

/** Reads a change of a board from its message by the rules for JSON. Reports all problems. */
export function parseBoardMessage(value: unknown, at: string): ParsedBoard {
  const { boardId, secret, title, ownerId, deleted, version } = value as BoardMessage
  const faults = findGarbledIds({ boardId, ownerId })
  const parsed = parseBoardJson({ boardId, secret, title, ownerId: present(ownerId), deleted, version }, at)
  return faults.size === 0 ? parsed : mergeProblems(faults, parsed, at)
}

type Faults = Map<string, FieldFault>

/** The problems that only messages can have, then those that JSON can have too; each field once. */
function mergeProblems(faults: Faults, parsed: { readonly ok: true } | Refused, at: string): Refused {
  const problems = createProblems(at)
  for (const [field, fault] of faults) problems.add(field, fault)
  const named = new Set(problems.refused().problems.map(({ field }) => field))
  if (!parsed.ok) for (const problem of parsed.problems) if (!named.has(problem.field)) problems.push(problem)
  return problems.refused()
}

// The decoder replaces bytes that are not UTF-8 by U+FFFD, which could make two ids equal.
function findGarbledIds(ids: Readonly<Record<string, string | undefined>>): Faults {
  const faults: Faults = new Map()
  for (const field in ids) {
    if (ids[field]?.includes('\ufffd') !== true) continue
    faults.set(field, { code: 'EVENT_ID_INVALID', text: 'contains bytes that are not UTF-8; send UTF-8' })
  }
  return faults
}

const missingTime: FieldFault = { code: 'EVENT_FIELD_MISSING', text: 'is missing; give milliseconds since the epoch' }
const missingAction: FieldFault = { code: 'EVENT_FIELD_MISSING', text: 'is missing; give an action' }

function toUnknownNumber(number: number): FieldFault {
  return { code: 'EVENT_FIELD_VALUE', text: `has the unknown number ${number}; give a number from the proto file` }
}

function checkRange(timeMs: number, leastMs: number): FieldFault | null {
  if (timeMs >= leastMs && timeMs <= maxTimeMs) return null
  return { code: 'EVENT_TIME_INVALID', text: `is ${timeMs}; give milliseconds since the epoch, up to the year 9999` }
}

function present(value: string): string | undefined {
  return value === '' ? undefined : value
}
