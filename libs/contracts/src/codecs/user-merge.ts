import { idProblem } from '@freshet/domain/ids'
import { encodeMessage } from '../bytes/wire.ts'
import { ContractError } from '../errors.ts'
import { UserMerge as UserMergeMessage, type UserHandover } from '../gen/freshet/engagement/v1/engagement.ts'
import { decodeOrThrow } from './engagement.ts'
import { maxSourcePartitions, type Source } from './onward.ts'
import { refuseNewer } from './newer.ts'

/** Version of the layout of a merge that this code writes, and the newest that it reads. */
const userMergeLayout = 1

/** A merge as ingest accepts it: `fromUserId` is from now on the same person as `intoUserId`. Times are milliseconds since the epoch. */
export interface MergeRequest {
  readonly fromUserId: string
  readonly intoUserId: string
  readonly occurredAtMs: number
  readonly receivedAtMs: number
}

/** A part of a merge that the updater of one partition hands over to another. */
export interface Handover extends MergeRequest {
  /** The record that led to it. `position` is a stored position. */
  readonly source: Omit<Source, 'index'>
  /** The users through whom it came, first the one who acted, last `fromUserId`. */
  readonly path: readonly string[]
  readonly content:
    { readonly kind: 'state'; readonly bytes: Uint8Array } | { readonly kind: 'engagement'; readonly bytes: Uint8Array }
}

/** A record of `engagements.v1` that merges users. */
export type UserMerge =
  { readonly kind: 'request'; readonly merge: MergeRequest } | { readonly kind: 'handover'; readonly merge: Handover }

const layoutField = 17
const name = 'freshet.engagement.v1.UserMerge'

/** Whether a value of `engagements.v1` is a merge: its first field is the layout. Otherwise it is an engagement or damaged. */
export function isUserMerge(bytes: Uint8Array | null): bytes is Uint8Array {
  return bytes !== null && bytes[0] === ((layoutField * 8) & 0x7f) + 0x80 && bytes[1] === (layoutField * 8) >>> 7
}

/** Bytes of a merge as ingest accepts it. */
export function encodeMergeRequest(merge: MergeRequest): Uint8Array {
  return encode(merge, undefined)
}

/** Bytes of a handover. The same handover always has the same bytes. */
export function encodeHandover({ source, path, content, ...merge }: Handover): Uint8Array {
  return encode(merge, {
    sourcePartition: source.partition,
    sourcePosition: source.position,
    path: [...path],
    state: content.kind === 'state' ? content.bytes : undefined,
    engagement: content.kind === 'engagement' ? content.bytes : undefined,
  })
}

function encode(merge: MergeRequest, handover: UserHandover | undefined): Uint8Array {
  const { fromUserId, intoUserId, occurredAtMs, receivedAtMs } = merge
  const layout = userMergeLayout
  return encodeMessage(UserMergeMessage, { layout, fromUserId, intoUserId, occurredAtMs, receivedAtMs, handover })
}

/** Decodes a merge. Throws CODEC_INVALID, naming the field; CODEC_NEWER for a layout that this version does not know. */
export function decodeUserMerge(bytes: Uint8Array): UserMerge {
  const message = decodeOrThrow(name, () => UserMergeMessage.decode(bytes))
  const { layout, fromUserId, intoUserId, occurredAtMs, receivedAtMs, handover } = message
  refuseNewer(name, 'layout', layout, userMergeLayout)
  checkId('from_user_id', fromUserId)
  checkId('into_user_id', intoUserId)
  if (fromUserId === intoUserId) throw invalid('into_user_id', 'is the same user as from_user_id')
  if (!Number.isSafeInteger(occurredAtMs) || occurredAtMs <= 0) throw invalid('occurred_at_ms', `is ${occurredAtMs}`)
  if (!Number.isSafeInteger(receivedAtMs) || receivedAtMs < 0) throw invalid('received_at_ms', `is ${receivedAtMs}`)
  const merge = { fromUserId, intoUserId, occurredAtMs, receivedAtMs }
  if (handover === undefined) return { kind: 'request', merge }
  const { sourcePartition: partition, sourcePosition: position, path } = handover
  if (partition >= maxSourcePartitions) throw invalid('handover.source_partition', `is ${partition}`)
  if (!Number.isSafeInteger(position) || position < 0) throw invalid('handover.source_position', `is ${position}`)
  for (const userId of path) checkId('handover.path', userId)
  return { kind: 'handover', merge: { ...merge, source: { partition, position }, path, content: contentOf(handover) } }
}

function contentOf({ state, engagement }: UserHandover): Handover['content'] {
  // Copies, since the record outlives the buffer that it came in.
  if (state !== undefined) return { kind: 'state', bytes: state.slice() }
  if (engagement !== undefined) return { kind: 'engagement', bytes: engagement.slice() }
  throw invalid('handover.content', 'is missing')
}

function checkId(field: string, value: string): void {
  const problem = idProblem(value)
  if (problem !== null) throw invalid(field, problem)
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `${name}.${field} ${problem}`)
}
