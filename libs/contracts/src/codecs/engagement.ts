import {
  actions,
  maxSourceTag,
  wholeWeight,
  type Action,
  type Engagement,
  type Shown,
  type Subject,
} from '@freshet/domain/engagement'
import {
  asId,
  idProblem,
  nameProblem,
  wordProblem,
  type BoardId,
  type Branded,
  type CreatorId,
  type EventId,
  type FeedId,
  type PinId,
  type SessionId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { ContractError } from '../errors.ts'
import { Engagement as EngagementMessage, Surface } from '../gen/freshet/engagement/v1/engagement.ts'

const actionNumbers = new Map(actions.map((action, index) => [action, index + 1]))

/** The number of an action on the wire: its index in `actions` plus one. */
export function actionNumber(action: Action): EngagementMessage['action'] {
  return (actionNumbers.get(action) ?? 0) as EngagementMessage['action']
}

/** The action of a number on the wire; null: this version does not know the number. */
export function actionOfNumber(number: number): Action | null {
  return actions[number - 1] ?? null
}

/** An engagement as the message that goes into the log. */
export function toEngagementMessage(engagement: Engagement, receivedAtMs: number): EngagementMessage {
  const { subject, shown } = engagement
  return {
    eventId: engagement.eventId,
    userId: engagement.userId,
    sessionId: engagement.sessionId ?? '',
    action: actionNumber(engagement.action),
    pinId: subject.kind === 'pin' ? subject.pinId : undefined,
    boardId: subject.kind === 'board' ? subject.boardId : undefined,
    creatorId: subject.kind === 'creator' ? subject.creatorId : undefined,
    topicId: subject.kind === 'topic' ? subject.topicId : undefined,
    savedToBoardId: engagement.boardId ?? '',
    occurredAtMs: engagement.occurredAtMs,
    receivedAtMs,
    feedId: shown.feedId ?? '',
    position: shown.position ?? undefined,
    surface: surfaceNumber(shown),
    dwellMs: engagement.dwellMs ?? undefined,
    word: subject.kind === 'word' ? subject.word : undefined,
    weightThousandths: engagement.weightThousandths,
    sourceTag: engagement.sourceTag,
  }
}

/** Bytes of an engagement for `engagements.v1`. */
export function encodeEngagement(engagement: Engagement, receivedAtMs: number): Uint8Array {
  // Ingest writes every event with this, so it goes field by field: the generated code takes three times as long.
  return encodeFields((to) => {
    writeEngagement(to, engagement, receivedAtMs)
  })
}

/** Writes the fields of an Engagement with the same bytes as the generated code. */
export function writeEngagement(to: FieldWriter, engagement: Engagement, receivedAtMs: number): void {
  const { subject, shown } = engagement
  to.text(1, engagement.eventId)
  to.text(2, engagement.userId)
  to.text(3, engagement.sessionId ?? '')
  to.uint(4, actionNumber(engagement.action))
  if (subject.kind === 'pin') to.text(5, subject.pinId)
  else if (subject.kind === 'board') to.text(6, subject.boardId)
  else if (subject.kind === 'creator') to.text(7, subject.creatorId)
  else if (subject.kind === 'topic') to.text(8, subject.topicId)
  // The generated code writes the parts of a oneof together.
  else to.text(16, subject.word)
  to.text(9, engagement.boardId ?? '')
  to.uint(10, engagement.occurredAtMs)
  to.uint(11, receivedAtMs)
  to.text(12, shown.feedId ?? '')
  to.optional(13, shown.position)
  to.uint(14, surfaceNumber(shown))
  to.optional(15, engagement.dwellMs)
  to.optional(weightField, engagement.weightThousandths ?? null)
  to.optional(sourceTagField, engagement.sourceTag ?? null)
}

/** Decodes an engagement from the bytes of `engagements.v1`. Throws CODEC_INVALID, naming the field: the codec does not trust foreign bytes. */
export function decodeEngagement(bytes: Uint8Array): Engagement {
  return fromEngagementMessage(decodeOrThrow('freshet.engagement.v1.Engagement', () => EngagementMessage.decode(bytes)))
}

/** An engagement from its message. Throws CODEC_INVALID, naming the field. */
export function fromEngagementMessage(message: EngagementMessage): Engagement {
  const action = actionOfNumber(message.action)
  if (action === null) throw invalid('action', `has the unknown number ${message.action}`)
  if (!Number.isSafeInteger(message.occurredAtMs) || message.occurredAtMs <= 0) {
    throw invalid('occurred_at_ms', `is ${message.occurredAtMs}, not a time`)
  }
  return {
    eventId: id<EventId>('event_id', message.eventId),
    userId: id<UserId>('user_id', message.userId),
    sessionId: optionalId<SessionId>('session_id', message.sessionId),
    action,
    subject: subjectOf(message),
    boardId: message.savedToBoardId === '' ? null : name<BoardId>('saved_to_board_id', message.savedToBoardId),
    occurredAtMs: message.occurredAtMs,
    shown: {
      feedId: optionalId<FeedId>('feed_id', message.feedId),
      position: message.position ?? null,
      surface: message.surface === Surface.HOME ? 'home' : message.surface === Surface.RELATED ? 'related' : null,
    },
    dwellMs: message.dwellMs ?? null,
    ...weightOf(message.weightThousandths),
    ...sourceTagOf(message.sourceTag),
  }
}

/** Number of the field `weight_thousandths`. */
export const weightField = 23

/** Number of the field `source_tag`. */
export const sourceTagField = 24

function sourceTagOf(tag: number | undefined): Pick<Engagement, 'sourceTag'> {
  if (tag === undefined) return {}
  if (tag < 1 || tag > maxSourceTag) throw invalid('source_tag', `is ${tag}`)
  return { sourceTag: tag }
}

/** The weight of a message. Throws CODEC_INVALID if it is out of bounds. */
export function weightOf(thousandths: number | undefined): Pick<Engagement, 'weightThousandths'> {
  if (thousandths === undefined || thousandths === wholeWeight) return {}
  if (thousandths < 1 || thousandths > wholeWeight) throw invalid('weight_thousandths', `is ${thousandths}`)
  return { weightThousandths: thousandths }
}

/** Runs a protobuf decoder and converts its errors to CODEC_INVALID with the message's name. */
export function decodeOrThrow<T>(messageName: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw new ContractError('CODEC_INVALID', `not a ${messageName}: ${(error as Error).message}`, { cause: error })
  }
}

function subjectOf(message: EngagementMessage): Subject {
  if (message.pinId !== undefined) return { kind: 'pin', pinId: id<PinId>('pin_id', message.pinId) }
  if (message.boardId !== undefined) return { kind: 'board', boardId: name<BoardId>('board_id', message.boardId) }
  if (message.creatorId !== undefined)
    return { kind: 'creator', creatorId: name<CreatorId>('creator_id', message.creatorId) }
  if (message.topicId !== undefined) return { kind: 'topic', topicId: name<TopicId>('topic_id', message.topicId) }
  if (message.word !== undefined) return { kind: 'word', word: word(message.word) }
  throw invalid('subject', 'is missing')
}

function surfaceNumber(shown: Shown): Surface {
  if (shown.surface === null) return Surface.UNSPECIFIED
  return shown.surface === 'home' ? Surface.HOME : Surface.RELATED
}

function id<Id extends Branded<string>>(field: string, value: string): Id {
  const problem = idProblem(value)
  if (problem !== null) throw invalid(field, problem)
  return asId<Id>(value)
}

function name<Name extends Branded<string>>(field: string, value: string): Name {
  const problem = nameProblem(value)
  if (problem !== null) throw invalid(field, problem)
  return asId<Name>(value)
}

function word(value: string): string {
  const problem = wordProblem(value)
  if (problem !== null) throw invalid('word', problem)
  return value
}

function optionalId<Id extends Branded<string>>(field: string, value: string): Id | null {
  return value === '' ? null : id<Id>(field, value)
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `freshet.engagement.v1.Engagement.${field} ${problem}`)
}
