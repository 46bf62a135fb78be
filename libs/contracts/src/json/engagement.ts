import { actions, surfaces, type Action, type Engagement, type Subject, type Surface } from '@freshet/domain/engagement'
import type { BoardId, CreatorId, EventId, FeedId, PinId, SessionId, TopicId, UserId } from '@freshet/domain/ids'
import { idFault, isJsonObject, kindOf, shown, wholeFault, wrongType, type FieldFault } from './fields.ts'
import { problemAt, type IngestProblem } from './problems.ts'
import { formatTime, parseTime, timeFault } from './time.ts'

/** Fields of an engagement in JSON. */
export const engagementFields = [
  'eventId',
  'userId',
  'sessionId',
  'action',
  'pinId',
  'boardId',
  'creatorId',
  'topicId',
  'occurredAt',
  'feedId',
  'position',
  'surface',
  'dwellMs',
] as const

/** An engagement as clients write it in JSON. */
export interface EngagementJson {
  readonly eventId: string
  readonly userId: string
  readonly sessionId?: string
  readonly action: Action
  /** What it is about: a pin; of `follow`, `unfollow`, `block` and `unblock` a board, creator or topic instead. */
  readonly pinId?: string
  /** Of a save or unsave: the board; else what the action is about. */
  readonly boardId?: string
  readonly creatorId?: string
  readonly topicId?: string
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
  readonly feedId?: string
  /** 0 = first. */
  readonly position?: number
  readonly surface?: Surface
  readonly dwellMs?: number
}

/** What became of reading an engagement. */
export type ParsedEngagement =
  { readonly ok: true; readonly engagement: Engagement } | { readonly ok: false; readonly problem: IngestProblem }

const known: ReadonlySet<string> = new Set(engagementFields)
const knownActions: ReadonlySet<unknown> = new Set(actions)
const knownSurfaces: ReadonlySet<unknown> = new Set(surfaces)
const aboutOthers: ReadonlySet<unknown> = new Set<Action>(['follow', 'unfollow', 'block', 'unblock'])
const withBoard: ReadonlySet<unknown> = new Set<Action>(['save', 'unsave'])
const optionalIds = ['sessionId', 'feedId', 'pinId', 'boardId', 'creatorId', 'topicId'] as const

/** The longest time that a user can have looked: a day. */
export const maxDwellMs = 86_400_000
/** The last position of a feed that can be named. */
export const maxPosition = 1_000_000

/**
 * Reads an engagement from parsed JSON: nothing is converted, unknown fields are an error, the first thing that is wrong
 * is named. `at` says where the event stands, e.g. `engagements[3]`. Times are taken as they are: whether they are too
 * old or new is for the caller.
 */
export function parseEngagementJson(value: unknown, at: string): ParsedEngagement {
  if (!isJsonObject(value)) {
    const { code, text } = wrongType(value, 'an object')
    return failed(at, '', { code: code === 'EVENT_FIELD_TYPE' ? 'EVENT_SHAPE' : code, text })
  }
  for (const field in value) {
    if (!known.has(field)) return failed(at, shortName(field), unknownField(engagementFields))
  }
  const { eventId, userId, action, occurredAt, position, surface, dwellMs } = value
  let fault = idFault(eventId)
  if (fault !== null) return failed(at, 'eventId', fault)
  fault = idFault(userId)
  if (fault !== null) return failed(at, 'userId', fault)
  if (!knownActions.has(action)) return failed(at, 'action', choiceFault(action, actions))
  for (const field of optionalIds) {
    const id = value[field]
    if (id === undefined) continue
    fault = idFault(id)
    if (fault !== null) return failed(at, field, fault)
  }
  const occurredAtMs = typeof occurredAt === 'string' ? parseTime(occurredAt) : Number.NaN
  // The epoch itself stands for "no time" in the log.
  if (!(occurredAtMs > 0)) return failed(at, 'occurredAt', timeFault(occurredAt) ?? epochFault)
  if (position !== undefined) {
    fault = wholeFault(position, maxPosition)
    if (fault !== null) return failed(at, 'position', fault)
  }
  if (dwellMs !== undefined) {
    fault = wholeFault(dwellMs, maxDwellMs)
    if (fault !== null) return failed(at, 'dwellMs', fault)
  }
  if (surface !== undefined && !knownSurfaces.has(surface)) return failed(at, 'surface', choiceFault(surface, surfaces))

  const subjectProblem = subjectFault(value)
  if (subjectProblem !== null) return failed(at, subjectProblem.field, subjectProblem)
  return {
    ok: true,
    engagement: {
      eventId: eventId as EventId,
      userId: userId as UserId,
      sessionId: (value['sessionId'] ?? null) as SessionId | null,
      action: action as Action,
      subject: subjectOf(value),
      boardId: withBoard.has(action) ? ((value['boardId'] ?? null) as BoardId | null) : null,
      occurredAtMs,
      shown: {
        feedId: (value['feedId'] ?? null) as FeedId | null,
        position: (position ?? null) as number | null,
        surface: (surface ?? null) as Surface | null,
      },
      dwellMs: (dwellMs ?? null) as number | null,
    },
  }
}

/** An engagement as JSON that `parseEngagementJson` reads back. */
export function engagementToJson(engagement: Engagement): EngagementJson {
  const { subject, shown: where } = engagement
  return {
    eventId: engagement.eventId,
    userId: engagement.userId,
    ...(engagement.sessionId === null ? {} : { sessionId: engagement.sessionId }),
    action: engagement.action,
    ...(subject.kind === 'pin' ? { pinId: subject.pinId } : {}),
    ...(subject.kind === 'board' ? { boardId: subject.boardId } : {}),
    ...(subject.kind === 'creator' ? { creatorId: subject.creatorId } : {}),
    ...(subject.kind === 'topic' ? { topicId: subject.topicId } : {}),
    ...(engagement.boardId === null ? {} : { boardId: engagement.boardId }),
    occurredAt: formatTime(engagement.occurredAtMs),
    ...(where.feedId === null ? {} : { feedId: where.feedId }),
    ...(where.position === null ? {} : { position: where.position }),
    ...(where.surface === null ? {} : { surface: where.surface }),
    ...(engagement.dwellMs === null ? {} : { dwellMs: engagement.dwellMs }),
  }
}

const epochFault: FieldFault = { code: 'EVENT_TIME_INVALID', text: 'is the epoch itself; give the time of the event' }

function subjectFault(value: Readonly<Record<string, unknown>>): (FieldFault & { readonly field: string }) | null {
  const { action, pinId, boardId, creatorId, topicId } = value
  if (aboutOthers.has(action)) {
    const given = [boardId, creatorId, topicId].filter((id) => id !== undefined).length
    if (pinId === undefined && given === 1) return null
    if (pinId !== undefined) {
      const text = `does not go with ${String(action)}; give boardId, creatorId or topicId instead`
      return { field: 'pinId', code: 'EVENT_SUBJECT', text }
    }
    const text = `does not say what is meant; give exactly one of boardId, creatorId and topicId with ${String(action)}`
    return { field: 'action', code: 'EVENT_SUBJECT', text }
  }
  if (pinId === undefined) {
    return {
      field: 'pinId',
      code: 'EVENT_FIELD_MISSING',
      text: `is missing; say which pin the ${String(action)} is about`,
    }
  }
  const text = `does not go with ${String(action)}; leave it out`
  if (creatorId !== undefined) return { field: 'creatorId', code: 'EVENT_SUBJECT', text }
  if (topicId !== undefined) return { field: 'topicId', code: 'EVENT_SUBJECT', text }
  if (boardId !== undefined && !withBoard.has(action)) return { field: 'boardId', code: 'EVENT_SUBJECT', text }
  return null
}

function subjectOf(value: Readonly<Record<string, unknown>>): Subject {
  const { action, pinId, boardId, creatorId, topicId } = value
  if (!aboutOthers.has(action)) return { kind: 'pin', pinId: pinId as PinId }
  if (boardId !== undefined) return { kind: 'board', boardId: boardId as BoardId }
  if (creatorId !== undefined) return { kind: 'creator', creatorId: creatorId as CreatorId }
  return { kind: 'topic', topicId: topicId as TopicId }
}

/** The fault of a value that is none of the choices. */
export function choiceFault(value: unknown, choices: readonly string[]): FieldFault {
  const wanted = `one of ${choices.join(', ')}`
  if (typeof value !== 'string') return wrongType(value, wanted)
  return { code: 'EVENT_FIELD_VALUE', text: `is ${kindOf(value)}; give ${wanted}` }
}

/** The fault of a field that is none of `fields`. */
export function unknownField(fields: readonly string[]): FieldFault {
  return { code: 'EVENT_FIELD_UNKNOWN', text: `is no field; fields are ${fields.join(', ')}` }
}

/** A field's name for paths: odd ones are quoted and cut. */
export function shortName(field: string): string {
  return /^\w{1,64}$/.test(field) ? field : shown(field)
}

function failed(at: string, field: string, fault: FieldFault): ParsedEngagement {
  return { ok: false, problem: problemAt(at, field, fault.code, fault.text) }
}
