import {
  actions,
  amountOf,
  surfaces,
  wholeWeight,
  type Action,
  type Engagement,
  type Subject,
  type Surface,
} from '@freshet/domain/engagement'
import type { BoardId, CreatorId, EventId, FeedId, PinId, SessionId, TopicId, UserId } from '@freshet/domain/ids'
import { normalWord } from '@freshet/domain/text-words'
import { isJsonObject, shown, wrongType, type FieldFault } from './fields.ts'
import { faultOf, type FieldRule } from './field-rules.ts'
import { createProblems, type Problems, type Refused } from './problems.ts'
import { formatTime, parseTime, timeFault } from './time.ts'

const aboutOthersOnly = 'With follow, unfollow, block and unblock'

/** Every field of an engagement in JSON. */
export const engagementRules = {
  eventId: {
    type: 'id',
    isRequired: true,
    meaning: 'The client makes it and keeps it when it sends the event again, so that the event counts once',
  },
  userId: { type: 'id', isRequired: true, meaning: 'Who did it' },
  sessionId: { type: 'id', meaning: "The client's session; absent: a session ends after 30 minutes without events" },
  action: { type: 'choice', choices: actions, isRequired: true, meaning: 'What the user did' },
  pinId: { type: 'id', meaning: 'The pin. Required, except with follow, unfollow, block and unblock, which have none' },
  boardId: { type: 'name', meaning: `The board of a save or unsave. ${aboutOthersOnly}: the board that it is about` },
  creatorId: { type: 'name', meaning: `${aboutOthersOnly}: the creator that it is about` },
  topicId: { type: 'name', meaning: `${aboutOthersOnly}: the topic that it is about` },
  word: {
    type: 'word',
    meaning: 'With block and unblock: the word in titles and descriptions. Compared in lower case',
  },
  occurredAt: { type: 'time', isRequired: true, meaning: 'When it happened, after 1970' },
  feedId: { type: 'id', meaning: 'The feed in which the pin was shown' },
  position: { type: 'whole', min: 0, max: 1_000_000, meaning: 'The position in that feed, 0 = first' },
  surface: { type: 'choice', choices: surfaces, meaning: 'Where it was shown' },
  dwellMs: { type: 'whole', min: 0, max: 86_400_000, meaning: 'How long the user looked, milliseconds' },
  weight: {
    type: 'share',
    min: 0.001,
    meaning:
      'How much it counts in the counters of users and pins, such as a rating; kept in thousandths; absent: 1. Nothing else depends on it',
  },
} as const satisfies Record<string, FieldRule>

/** Fields of an engagement in JSON. */
export const engagementFields = Object.keys(engagementRules)

/** An engagement as clients write it in JSON. */
export interface EngagementJson {
  readonly eventId: string
  readonly userId: string
  readonly sessionId?: string
  readonly action: Action
  /** The pin that the action is about. `follow`, `unfollow`, `block` and `unblock` have a board, creator or topic instead, blocks also a word. */
  readonly pinId?: string
  /** Of a save or unsave: its board; otherwise the subject of the action. */
  readonly boardId?: string
  readonly creatorId?: string
  readonly topicId?: string
  /** The word that the user blocks or unblocks: pins with it in their title or description. All its spellings are one word: `Cats`, `cats ` and `CATS`. */
  readonly word?: string
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
  readonly feedId?: string
  /** 0 = first. */
  readonly position?: number
  readonly surface?: Surface
  readonly dwellMs?: number
  /** How much it counts in counters: 0.001 to 1, kept in thousandths. */
  readonly weight?: number
}

/** The result of reading an engagement. If it is rejected, `occurredAtMs` is its time; null: the time is invalid. */
export type ParsedEngagement =
  { readonly ok: true; readonly engagement: Engagement } | (Refused & { readonly occurredAtMs: number | null })

const known: ReadonlySet<string> = new Set(engagementFields)
const knownActions: ReadonlySet<unknown> = new Set(actions)
const aboutOthers: ReadonlySet<unknown> = new Set<Action>(['follow', 'unfollow', 'block', 'unblock'])
const withWord: ReadonlySet<unknown> = new Set<Action>(['block', 'unblock'])
const withBoard: ReadonlySet<unknown> = new Set<Action>(['save', 'unsave'])
const optionalIds = ['sessionId', 'feedId', 'pinId'] as const
const names = ['boardId', 'creatorId', 'topicId'] as const

const check = {
  eventId: faultOf(engagementRules.eventId),
  userId: faultOf(engagementRules.userId),
  sessionId: faultOf(engagementRules.sessionId),
  feedId: faultOf(engagementRules.feedId),
  pinId: faultOf(engagementRules.pinId),
  boardId: faultOf(engagementRules.boardId),
  creatorId: faultOf(engagementRules.creatorId),
  topicId: faultOf(engagementRules.topicId),
  action: faultOf(engagementRules.action),
  word: faultOf(engagementRules.word),
  position: faultOf(engagementRules.position),
  dwellMs: faultOf(engagementRules.dwellMs),
  weight: faultOf(engagementRules.weight),
  surface: faultOf(engagementRules.surface),
}

/**
 * Reads an engagement from parsed JSON. Converts no types, rejects unknown fields and reports all problems. `at` is the
 * place of the event in the request, e.g. `engagements[3]`. The caller checks whether the time is too old or too new.
 */
export function parseEngagementJson(value: unknown, at: string): ParsedEngagement {
  if (!isJsonObject(value)) return { ...noObject(value, at), occurredAtMs: null }
  let problems: Problems | null = null
  const wrong = (field: string, fault: FieldFault | null): void => {
    if (fault !== null) (problems ??= createProblems(at)).add(field, fault)
  }
  for (const field in value) {
    if (!known.has(field)) wrong(shortName(field), unknownField(field, engagementFields))
  }
  const { eventId, userId, action, occurredAt, position, surface, dwellMs, weight } = value
  wrong('eventId', check.eventId(eventId))
  wrong('userId', check.userId(userId))
  wrong('action', check.action(action))
  for (const field of optionalIds) if (value[field] !== undefined) wrong(field, check[field](value[field]))
  for (const field of names) if (value[field] !== undefined) wrong(field, check[field](value[field]))
  const word = keptWord(value['word'])
  if (word !== undefined) wrong('word', check.word(word))
  const occurredAtMs = typeof occurredAt === 'string' ? parseTime(occurredAt) : Number.NaN
  // In the log, the epoch itself means "no time".
  if (!(occurredAtMs > 0)) wrong('occurredAt', timeFault(occurredAt) ?? beforeEpochFault(occurredAtMs))
  if (position !== undefined) wrong('position', check.position(position))
  if (dwellMs !== undefined) wrong('dwellMs', check.dwellMs(dwellMs))
  if (weight !== undefined) wrong('weight', check.weight(weight))
  if (surface !== undefined) wrong('surface', check.surface(surface))
  for (const { field, ...fault } of subjectFaults(value)) wrong(field, fault)
  const found = problems as Problems | null
  if (found !== null) return { ...found.refused(), occurredAtMs: occurredAtMs > 0 ? occurredAtMs : null }
  return {
    ok: true,
    engagement: {
      eventId: eventId as EventId,
      userId: userId as UserId,
      sessionId: (value['sessionId'] ?? null) as SessionId | null,
      action: action as Action,
      subject: readSubject(value, word),
      boardId: withBoard.has(action) ? ((value['boardId'] ?? null) as BoardId | null) : null,
      occurredAtMs,
      shown: {
        feedId: (value['feedId'] ?? null) as FeedId | null,
        position: (position ?? null) as number | null,
        surface: (surface ?? null) as Surface | null,
      },
      dwellMs: (dwellMs ?? null) as number | null,
      ...(weight !== undefined && weighing(weight as number)),
    },
  }
}

/** Writes an engagement as JSON that `parseEngagementJson` reads back. */
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
    ...(subject.kind === 'word' ? { word: subject.word } : {}),
    ...(engagement.boardId === null ? {} : { boardId: engagement.boardId }),
    occurredAt: formatTime(engagement.occurredAtMs),
    ...(where.feedId === null ? {} : { feedId: where.feedId }),
    ...(where.position === null ? {} : { position: where.position }),
    ...(where.surface === null ? {} : { surface: where.surface }),
    ...(engagement.dwellMs === null ? {} : { dwellMs: engagement.dwellMs }),
    ...(engagement.weightThousandths === undefined ? {} : { weight: amountOf(engagement) }),
  }
}

/** A weight as the log keeps it. A whole engagement has none, so that it is the same with and without. */
function weighing(weight: number): Pick<Engagement, 'weightThousandths'> {
  const thousandths = Math.round(weight * wholeWeight)
  return thousandths === wholeWeight ? {} : { weightThousandths: thousandths }
}

/** Longer words are refused as they are. */
const maxWordLength = 256

/** A word as the log keeps it, so that each of its spellings blocks and unblocks the same one. */
function keptWord(word: unknown): unknown {
  return typeof word === 'string' && word.length <= maxWordLength ? normalWord(word) : word
}

function beforeEpochFault(timeMs: number): FieldFault {
  const when = timeMs === 0 ? 'the epoch itself, which means "no time"' : 'before 1970'
  return { code: 'EVENT_TIME_INVALID', text: `is ${when}; give the time of the event` }
}

type SubjectFault = FieldFault & { readonly field: string }
const noFaults: readonly SubjectFault[] = []

/** Problems of the event's subject; none if the action is unknown. */
function subjectFaults(value: Readonly<Record<string, unknown>>): readonly SubjectFault[] {
  const { action, pinId, boardId, creatorId, topicId, word } = value
  if (!knownActions.has(action)) return noFaults
  const faults: SubjectFault[] = []
  const unfit = (field: string, text: string): void => {
    faults.push({ field, code: 'EVENT_SUBJECT', text })
  }
  if (aboutOthers.has(action)) {
    const isBlock = withWord.has(action)
    if (word !== undefined && !isBlock) {
      unfit('word', `is not allowed with ${String(action)}; words are for block and unblock`)
      return faults
    }
    const fields = isBlock ? 'boardId, creatorId, topicId and word' : 'boardId, creatorId and topicId'
    const given = [boardId, creatorId, topicId, word].filter((id) => id !== undefined).length
    if (pinId === undefined && given === 1) return noFaults
    if (pinId !== undefined) {
      const instead = given === 0 ? `give ${fields.replace(' and ', ' or ')} instead` : 'remove it'
      unfit('pinId', `is not allowed with ${String(action)}; ${instead}`)
      if (given <= 1) return faults
    }
    unfit('action', `needs exactly one of ${fields}; the action is ${String(action)}`)
    return faults
  }
  if (pinId === undefined) {
    const text = `is missing; give the pin of the ${String(action)}`
    faults.push({ field: 'pinId', code: 'EVENT_FIELD_MISSING', text })
  }
  const text = `is not allowed with ${String(action)}; remove it`
  if (creatorId !== undefined) unfit('creatorId', text)
  if (topicId !== undefined) unfit('topicId', text)
  if (word !== undefined) unfit('word', text)
  if (boardId !== undefined && !withBoard.has(action)) unfit('boardId', text)
  return faults.length === 0 ? noFaults : faults
}

function readSubject(value: Readonly<Record<string, unknown>>, word: unknown): Subject {
  const { action, pinId, boardId, creatorId, topicId } = value
  if (!aboutOthers.has(action)) return { kind: 'pin', pinId: pinId as PinId }
  if (boardId !== undefined) return { kind: 'board', boardId: boardId as BoardId }
  if (creatorId !== undefined) return { kind: 'creator', creatorId: creatorId as CreatorId }
  if (topicId !== undefined) return { kind: 'topic', topicId: topicId as TopicId }
  return { kind: 'word', word: word as string }
}

/** The fault of a field that is not one of `fields`. Suggests a field whose name differs in case or separators only. */
export function unknownField(field: string, fields: readonly string[]): FieldFault {
  const bare = (name: string): string => name.replaceAll(/[-_ ]/g, '').toLowerCase()
  const meant = fields.find((each) => bare(each) === bare(field))
  const hint = meant === undefined ? `fields are ${fields.join(', ')}` : `did you mean ${meant}?`
  return { code: 'EVENT_FIELD_UNKNOWN', text: `is not a field; ${hint}` }
}

/** The rejection of a value that is not an object. */
export function noObject(value: unknown, at: string): Refused {
  const { code, text } = wrongType(value, 'an object')
  const problems = createProblems(at)
  problems.add('', { code: code === 'EVENT_FIELD_TYPE' ? 'EVENT_SHAPE' : code, text })
  return problems.refused()
}

/** A field's name for paths. Unusual names are quoted and shortened. */
export function shortName(field: string): string {
  return /^\w{1,64}$/.test(field) ? field : shown(field)
}
