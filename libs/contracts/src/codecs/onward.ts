import type { Engagement } from '@freshet/domain/engagement'
import { asId, idProblem, type UserId } from '@freshet/domain/ids'
import { ContractError } from '../errors.ts'
import {
  DeadLetter as DeadLetterMessage,
  Engagement as EngagementMessage,
  LateEngagement as LateEngagementMessage,
  PinEngagement as PinEngagementMessage,
  UserErasure as UserErasureMessage,
} from '../gen/freshet/engagement/v1/engagement.ts'
import { encodeFields, encodeMessage, type FieldWriter } from '../bytes/wire.ts'
import { decodeOrThrow, fromEngagementMessage, toEngagementMessage, writeEngagement } from './engagement.ts'

/** An engagement with the time at which the ingest took it, milliseconds since the epoch; 0: not known. */
export interface ReceivedEngagement {
  readonly engagement: Engagement
  readonly receivedAtMs: number
}

/** The source of a record that the first stage sent onward. */
export interface Source {
  readonly partition: number
  readonly position: number
  /** Index among the records made from the source record, 0 = first. */
  readonly index: number
}

/** An engagement sent onward to the state of its subject. */
export interface PinEngagement extends ReceivedEngagement {
  readonly source: Source
}

/** An engagement that came after the allowed lateness. */
export interface LateEngagement extends ReceivedEngagement {
  readonly sourcePartition: number
  readonly sourcePosition: number
  readonly lateByMs: number
}

/** A record that the updater could not apply, with all data to apply it later. */
export interface DeadLetter {
  readonly sourceTopic: string
  readonly sourcePartition: number
  readonly sourcePosition: number
  readonly key: string
  readonly value: Uint8Array
  /** Of the error catalogue. */
  readonly code: string
  readonly message: string
  /** The message that the reader expected. */
  readonly schema: string
  readonly atMs: number
}

/** A user to erase, with all the user's events until `erasedAtMs`. */
export interface UserErasure {
  readonly userId: UserId
  readonly erasedAtMs: number
}

/** Decodes an engagement with its time of receipt from the bytes of `engagements.v1`. Throws CODEC_INVALID, naming the field. */
export function decodeReceivedEngagement(bytes: Uint8Array): ReceivedEngagement {
  return received(decodeOrThrow('freshet.engagement.v1.Engagement', () => EngagementMessage.decode(bytes)))
}

/** Bytes for `pin-engagements.v1`. */
export function encodePinEngagement({ engagement, receivedAtMs, source }: PinEngagement): Uint8Array {
  return encodeFields((to) => {
    to.message(1, () => {
      writeEngagement(to, engagement, receivedAtMs)
    })
    writeSource(to, source)
  })
}

/** Encodes the same bytes from the engagement's own bytes, unchanged. */
export function encodePinEngagementOf(engagement: Uint8Array, source: Source): Uint8Array {
  return encodeFields((to) => {
    to.bytes(1, engagement)
    writeSource(to, source)
  })
}

function writeSource(to: FieldWriter, { partition, position, index }: Source): void {
  to.uint(2, partition)
  to.uint(3, position)
  to.uint(4, index)
}

/** Decodes the bytes of `pin-engagements.v1`. Throws CODEC_INVALID, naming the field. */
export function decodePinEngagement(bytes: Uint8Array): PinEngagement {
  const name = 'freshet.engagement.v1.PinEngagement'
  const message = decodeOrThrow(name, () => PinEngagementMessage.decode(bytes))
  const { sourcePartition: partition, sourcePosition: position, sourceIndex: index } = message
  if (message.engagement === undefined) throw invalid(name, 'engagement', 'is missing')
  if (!Number.isSafeInteger(position) || position < 0) throw invalid(name, 'source_position', `is ${position}`)
  if (partition >= maxSourcePartitions) throw invalid(name, 'source_partition', `is ${partition}`)
  return { ...received(message.engagement), source: { partition, position, index } }
}

/** More partitions than any topic has. A larger number comes from damage, and would grow the high-water marks without limit. */
export const maxSourcePartitions = 1 << 16

/** Bytes for `engagements-late.v1`. */
export function encodeLateEngagement(late: LateEngagement): Uint8Array {
  return encodeMessage(LateEngagementMessage, {
    engagement: toEngagementMessage(late.engagement, late.receivedAtMs),
    sourcePartition: late.sourcePartition,
    sourcePosition: late.sourcePosition,
    lateByMs: late.lateByMs,
  })
}

/** Decodes the bytes of `engagements-late.v1`. Throws CODEC_INVALID, naming the field. */
export function decodeLateEngagement(bytes: Uint8Array): LateEngagement {
  const name = 'freshet.engagement.v1.LateEngagement'
  const message = decodeOrThrow(name, () => LateEngagementMessage.decode(bytes))
  if (message.engagement === undefined) throw invalid(name, 'engagement', 'is missing')
  const { sourcePartition, sourcePosition, lateByMs } = message
  return { ...received(message.engagement), sourcePartition, sourcePosition, lateByMs }
}

/** Bytes for `dead-letters.v1`. */
export function encodeDeadLetter(letter: DeadLetter): Uint8Array {
  return encodeMessage(DeadLetterMessage, letter)
}

/** Decodes the bytes of `dead-letters.v1`. Throws CODEC_INVALID. */
export function decodeDeadLetter(bytes: Uint8Array): DeadLetter {
  return decodeOrThrow('freshet.engagement.v1.DeadLetter', () => DeadLetterMessage.decode(bytes))
}

/** Bytes for `erasures.v1`. */
export function encodeUserErasure(erasure: UserErasure): Uint8Array {
  return encodeMessage(UserErasureMessage, erasure)
}

/** Decodes the bytes of `erasures.v1`. Throws CODEC_INVALID, naming the field. */
export function decodeUserErasure(bytes: Uint8Array): UserErasure {
  const name = 'freshet.engagement.v1.UserErasure'
  const { userId, erasedAtMs } = decodeOrThrow(name, () => UserErasureMessage.decode(bytes))
  const problem = idProblem(userId)
  if (problem !== null) throw invalid(name, 'user_id', problem)
  if (!Number.isSafeInteger(erasedAtMs) || erasedAtMs <= 0) throw invalid(name, 'erased_at_ms', `is ${erasedAtMs}`)
  return { userId: asId<UserId>(userId), erasedAtMs }
}

function received(message: EngagementMessage): ReceivedEngagement {
  const { receivedAtMs } = message
  if (!Number.isSafeInteger(receivedAtMs) || receivedAtMs < 0) {
    throw invalid('freshet.engagement.v1.Engagement', 'received_at_ms', `is ${receivedAtMs}, not a time`)
  }
  return { engagement: fromEngagementMessage(message), receivedAtMs }
}

function invalid(name: string, field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `${name}.${field} ${problem}`)
}
