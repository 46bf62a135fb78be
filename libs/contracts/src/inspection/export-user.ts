import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import {
  decodeDeadLetter,
  decodeLateEngagement,
  decodeReceivedEngagement,
  decodeUserErasure,
} from '../codecs/onward.ts'
import { oldestServedAtMs } from '../codecs/served.ts'
import { decodeBoardChange } from '../codecs/board.ts'
import { decodeUserMerge, isUserMerge } from '../codecs/user-merge.ts'
import { decodeUserState } from '../codecs/user-state.ts'
import { isCatalogueChange } from '../catalogue-topics.ts'
import { ContractError } from '../errors.ts'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { StateStore } from '../ports/state-store.ts'
import { firstGeneration, lastGoodScope, reserveScope, servedScope, servingPointer, stateScope } from '../scopes.ts'
import type { TopicName } from '../topics.ts'
import { readToEnd } from '../read-to-end.ts'
import { readUser } from './read-user.ts'
import type { Inspection } from './routes.ts'
import { servedJson } from './served-json.ts'
import { userJson } from './user-json.ts'

/** One thing that is held on a user, for JSON. `from`: the topic, or the scope of the state store. */
export interface HeldOnUser {
  readonly from: string
  readonly held: unknown
}

/** Where and what to read. */
export interface ExportUserOptions {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>
  readonly store: Pick<StateStore, 'read' | 'pointer'>
  readonly clock: Pick<Clock, 'now'>
  readonly signal?: AbortSignal
  /** Called after each topic with the number of records that it holds of the user. */
  readonly onTopic?: (topic: string, records: number) => void
}

const decoders = {
  'engagements.v1': (value) =>
    isUserMerge(value) ? { merge: decodeUserMerge(value) } : decodeReceivedEngagement(value),
  'feeds-served.v1': (value) => servedJson(FeedServed.decode(value)),
  'engagements-late.v1': decodeLateEngagement,
  'dead-letters.v1': (value) => {
    const { value: record, ...letter } = decodeDeadLetter(value)
    return { ...letter, value: record === undefined ? null : Buffer.from(record).toString('base64') }
  },
  'erasures.v1': decodeUserErasure,
} as const satisfies Partial<Record<TopicName, (value: Uint8Array) => unknown>>

/** The topics that hold data of users, by user. */
export const topicsOfUsers = Object.keys(decoders) as readonly (keyof typeof decoders)[]

/**
 * Everything that is held on a user: the records of the topics that are kept by user, the boards that the user owns, and the state. What an erasure has left in
 * the log until its retention ends is held too. The records of a merge name the user's other ids: export those too.
 */
export async function exportUser(
  userId: string,
  { log, store, clock, signal, onTopic }: ExportUserOptions,
  onHeld: (held: HeldOnUser) => void,
): Promise<void> {
  for (const topic of topicsOfUsers) {
    const decode: (value: Uint8Array) => unknown = decoders[topic]
    let records = 0
    await readUser({
      log,
      topic,
      userId,
      ...(signal && { signal }),
      onValue: (value) => {
        records++
        onHeld({ from: topic, held: value === null ? { tombstone: true } : readable(decode, value) })
      },
    })
    onTopic?.(topic, records)
  }
  const boards = await exportBoards(userId, { log, ...(signal && { signal }) }, onHeld)
  onTopic?.('boards.v1', boards)
  const partition = partitionOf(userId, (await log.ends('engagements.v1', { ...(signal && { signal }) })).length)
  const scope = stateScope('user', (await store.pointer(servingPointer('user'))) ?? firstGeneration)
  const shown: readonly (readonly [scope: string, show: (bytes: Uint8Array) => unknown])[] = [
    [scope, (bytes) => userJson(userId, decodeUserState(bytes), clock.now())],
    [servedScope, (bytes) => ({ bytes: bytes.length, oldestAtMs: oldestServedAtMs(bytes) })],
    [lastGoodScope, (bytes) => ({ pinIds: FeedServed.decode(bytes).pinIds })],
    [reserveScope, (bytes) => ({ bytes: bytes.length })],
  ]
  for (const [from, show] of shown) {
    const [value] = (await store.read(from, partition, [userId], { ...(signal && { signal }) })).values
    if (value != null && value.length > 0) onHeld({ from, held: readable(show, value) })
  }
}

/** The records of boards that name the user as their owner; returns their number. They are kept by board, so all are read. */
async function exportBoards(
  userId: string,
  options: Pick<ExportUserOptions, 'log' | 'signal'>,
  onHeld: (held: HeldOnUser) => void,
): Promise<number> {
  let records = 0
  await readToEnd({
    ...{ ...options, topic: 'boards.v1', maxBatchRecords: 2_000, onError: () => undefined },
    onRecords(_, found) {
      for (const { key, value } of found) {
        if (value === null || !isCatalogueChange('boards.v1', key, value)) continue
        const change = decodeBoardChange(key, value)
        if (change.kind === 'delete' || change.board.ownerId !== userId) continue
        records++
        onHeld({ from: 'boards.v1', held: change })
      }
    },
  })
  return records
}

/** A record that nobody can read is held too. */
function readable(decode: (value: Uint8Array) => unknown, value: Uint8Array): unknown {
  try {
    return decode(value)
  } catch (error) {
    return { unreadable: (error as Error).message, value: Buffer.from(value).toString('base64') }
  }
}

/** Largest answer of the route; the command has no limit. */
const maxHeld = 10_000

/** `/v1/users/{id}/export`: everything that is held on a user, at most 10,000 records; `complete` says whether that is all. */
export function exportInspection(options: ExportUserOptions): Inspection {
  return {
    path: '/v1/users/{id}/export',
    async answer(userId, _query, signal) {
      const problem = idProblem(userId)
      if (problem !== null) throw new ContractError('CALL_INVALID_ARGUMENT', `the user id ${problem}`)
      const held: HeldOnUser[] = []
      let left = 0
      await exportUser(userId, { ...options, signal }, (one) => {
        if (held.length < maxHeld) held.push(one)
        else left++
      })
      return {
        userId,
        complete: left === 0,
        ...(left > 0 && { left, rest: '`freshet users export ID` exports all' }),
        held,
      }
    },
  }
}
