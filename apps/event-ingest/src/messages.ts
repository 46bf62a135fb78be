import { actionOfNumber } from '@freshet/contracts/codecs/engagement'
import { Surface, type Engagement as EngagementMessage } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { Pin as PinMessage } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { parseEngagementJson, type ParsedEngagement } from '@freshet/contracts/json/engagement'
import { parsePinJson, type ParsedPin } from '@freshet/contracts/json/pin'
import { problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime } from '@freshet/contracts/json/time'

const maxTimeMs = Date.UTC(9999, 11, 31)

/** Reads an engagement from its message by the rules for JSON; fields are named as in JSON. */
export function parseEngagementMessage(value: unknown, at: string): ParsedEngagement {
  const message = value as EngagementMessage
  const problem =
    garbledId(at, {
      eventId: message.eventId,
      userId: message.userId,
      sessionId: message.sessionId,
      pinId: message.pinId,
      boardId: message.boardId ?? message.savedToBoardId,
      creatorId: message.creatorId,
      topicId: message.topicId,
      feedId: message.feedId,
    }) ?? timeProblem(at, 'occurredAt', message.occurredAtMs)
  if (problem !== null) return { ok: false, problem }
  const action = actionOfNumber(message.action)
  if (action === null) {
    const text = message.action === 0 ? 'is missing; give an action' : `has the unknown number ${message.action}`
    return failed(at, 'action', message.action === 0 ? 'EVENT_FIELD_MISSING' : 'EVENT_FIELD_VALUE', text)
  }
  const known = message.surface === Surface.HOME || message.surface === Surface.RELATED
  if (!known && message.surface !== Surface.UNSPECIFIED) {
    return failed(at, 'surface', 'EVENT_FIELD_VALUE', `has the unknown number ${message.surface}`)
  }
  if (message.boardId !== undefined && message.savedToBoardId !== '') {
    return failed(at, 'savedToBoardId', 'EVENT_SUBJECT', 'does not go with boardId; it is for saves of pins')
  }
  return parseEngagementJson(
    {
      eventId: message.eventId,
      userId: message.userId,
      sessionId: present(message.sessionId),
      action,
      pinId: message.pinId,
      boardId: message.boardId ?? present(message.savedToBoardId),
      creatorId: message.creatorId,
      topicId: message.topicId,
      occurredAt: formatTime(message.occurredAtMs),
      feedId: present(message.feedId),
      position: message.position,
      surface: known ? (message.surface === Surface.HOME ? 'home' : 'related') : undefined,
      dwellMs: message.dwellMs,
    },
    at,
  )
}

/** Reads a catalogue change from its message by the rules for JSON. */
export function parsePinMessage(value: unknown, at: string): ParsedPin {
  const message = value as PinMessage
  const { visualEmbedding: bytes, createdAtMs } = message
  const problem =
    garbledId(at, { pinId: message.pinId, creatorId: message.creatorId }) ??
    (createdAtMs === undefined ? null : timeProblem(at, 'createdAt', createdAtMs))
  if (problem !== null) return { ok: false, problem }
  if (bytes.byteLength % 4 !== 0) {
    return failed(
      at,
      'visualEmbedding',
      'EMBEDDING_INVALID',
      `has ${bytes.byteLength} bytes, no whole number of floats`,
    )
  }
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return parsePinJson(
    {
      pinId: message.pinId,
      title: message.title,
      description: message.description,
      topics: message.topics,
      creatorId: present(message.creatorId),
      createdAt: createdAtMs === undefined ? undefined : formatTime(createdAtMs),
      locale: present(message.locale),
      imageUrl: present(message.imageUrl),
      visualEmbedding:
        bytes.byteLength === 0
          ? undefined
          : Array.from({ length: bytes.byteLength / 4 }, (_, index) => numbers.getFloat32(index * 4, true)),
      deleted: message.deleted,
    },
    at,
  )
}

// The decoder puts U+FFFD where bytes were no UTF-8: two ids could become the same one.
function garbledId(at: string, ids: Readonly<Record<string, string | undefined>>): IngestProblem | null {
  for (const field in ids) {
    if (ids[field]?.includes('\ufffd') === true) {
      return problemAt(at, field, 'EVENT_ID_INVALID', 'holds U+FFFD: bytes that were no UTF-8; send UTF-8')
    }
  }
  return null
}

function timeProblem(at: string, field: string, timeMs: number): IngestProblem | null {
  if (timeMs === 0) return problemAt(at, field, 'EVENT_FIELD_MISSING', 'is missing; give milliseconds since the epoch')
  if (timeMs > 0 && timeMs <= maxTimeMs) return null
  return problemAt(at, field, 'EVENT_TIME_INVALID', `is ${timeMs}; give milliseconds since the epoch`)
}

function present(value: string): string | undefined {
  return value === '' ? undefined : value
}

function failed(at: string, field: string, code: IngestCode, text: string) {
  return { ok: false, problem: problemAt(at, field, code, text) } as const
}
