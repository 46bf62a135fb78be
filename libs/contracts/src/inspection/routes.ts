import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'
import { decodePartitionMeta, recordOutcomes } from '../codecs/partition-meta.ts'
import { decodePinState } from '../codecs/pin-state.ts'
import { decodeUserState } from '../codecs/user-state.ts'
import { ContractError } from '../errors.ts'
import type { EventLog } from '../ports/event-log.ts'
import { nothingElse, type StateStore } from '../ports/state-store.ts'
import { firstGeneration, servingPointer, stateScope, type StateFamily } from '../scopes.ts'
import { erasedAtMs, userErased } from './erased.ts'
import { pinJson } from './pin-json.ts'
import { feedServed } from './served.ts'
import { servedJson } from './served-json.ts'
import { userJson } from './user-json.ts'

/** A route of a process's operations server: a path that may contain `{id}`. */
export interface Inspection {
  readonly path: string
  /** `PUT`: the route changes something. Default: `GET`. */
  readonly method?: 'GET' | 'PUT'
  /** Returns the body; throws a ContractError. `query`: the parameters after `?`. */
  readonly answer: (id: string, query: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<unknown>
}

type Log = Pick<EventLog, 'starts' | 'ends' | 'readAll'>
type Store = Pick<StateStore, 'read' | 'readForFold' | 'pointer'>

/** The titles of those of these boards that have one. */
export type TitlesOfBoards = (boardIds: readonly string[]) => Promise<ReadonlyMap<string, string>>

/** `/v1/users/{id}/state`: the state that the feature updater keeps of a user. Refuses erased users. `titlesOf`: names the boards; absent: they have only ids. */
export function userInspection(options: {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly titlesOf?: TitlesOfBoards
}): Inspection {
  const { log, store, clock, titlesOf = () => Promise.resolve(new Map<string, string>()) } = options
  return {
    path: '/v1/users/{id}/state',
    async answer(userId, _query, signal) {
      checkId('the user id', userId)
      const [erasedMs, { value, partition, position }] = await Promise.all([
        erasedAtMs(log, userId, { signal }),
        stored({ log, store }, 'user', userId),
      ])
      const state = value === null ? null : decodeUserState(value)
      // State from before the erasure may remain for a moment; a user who came back has newer state.
      if (erasedMs !== null && (state === null || state.firstAtMs <= erasedMs)) throw userErased(userId, erasedMs)
      if (state === null) throw new ContractError('USER_UNKNOWN', `nothing is known of the user ${userId}`)
      const titles = await titlesOf(state.boards.boardIds)
      return { ...userJson(userId, state, clock.now(), titles), foldedTo: { partition, position } }
    },
  }
}

/** `/v1/pins/{id}`: the catalogue entry and the counters of a pin. `pinOf` reads the catalogue; absent: this process does not know it. */
export function pinInspection(options: {
  readonly clock: Clock
  readonly stateOf: (pinId: string) => Promise<PinState | null>
  readonly pinOf?: (pinId: string) => Pin | null
}): Inspection {
  return {
    path: '/v1/pins/{id}',
    async answer(pinId) {
      checkId('the pin id', pinId)
      const state = await options.stateOf(pinId)
      const pin = options.pinOf?.(pinId)
      if (state === null && pin == null) {
        const where =
          pin === undefined ? 'nobody has engaged with it' : 'the catalogue has none, and nobody has engaged with it'
        throw new ContractError('PIN_UNKNOWN', `nothing is known of the pin ${pinId}: ${where}`)
      }
      return pinJson(pinId, { pin, state }, options.clock.now())
    },
  }
}

/** `/v1/catalogue`: the number of catalogue entries that this process knows. */
export function catalogueInspection(pins: () => number): Inspection {
  return { path: '/v1/catalogue', answer: () => Promise.resolve({ pins: pins() }) }
}

/** Reads pin state that the feature updater stored. */
export function storedPinState(options: { log: Log; store: Store }): (pinId: string) => Promise<PinState | null> {
  return async (pinId) => {
    const { value } = await stored(options, 'pin', pinId)
    return value === null ? null : decodePinState(value)
  }
}

/** `/v1/users/{id}/feeds/last`, `?feed=ID`: a feed as it was recorded. Refuses erased users. */
export function feedInspection({ log }: { log: Log }): Inspection {
  return {
    path: '/v1/users/{id}/feeds/last',
    async answer(userId, { feed = null }: Readonly<Record<string, string | null>>, signal) {
      checkId('the user id', userId)
      return servedJson(await feedServed(log, userId, feed, { signal }))
    },
  }
}

/** `/v1/progress`: for each partition of `engagements.v1`, the log's end, the folded position, and the outcome counts of its records. */
export function progressInspection({ log, store }: { log: Log; store: Store }): Inspection {
  return {
    path: '/v1/progress',
    async answer(_id, _query, signal) {
      const scope = stateScope('user', await serving(store, 'user'))
      const ends = await log.ends('engagements.v1', { signal })
      const partitions = await Promise.all(
        ends.map(async (end, partition) => {
          const { position, meta } = await store.readForFold({ ...nothingElse, scope, partition })
          const { counts } = decodePartitionMeta(meta)
          return { partition, end, folded: position ?? 0, counts }
        }),
      )
      const sum = (of: (typeof recordOutcomes)[number]): number =>
        partitions.reduce((total, { counts }) => total + counts[of], 0)
      return {
        topic: 'engagements.v1',
        lag: partitions.reduce((total, { end, folded }) => total + Math.max(0, end - folded), 0),
        counts: Object.fromEntries(recordOutcomes.map((outcome) => [outcome, sum(outcome)])),
        partitions,
      }
    },
  }
}

async function stored({ log, store }: { log: Log; store: Store }, family: StateFamily, key: string) {
  const topic = family === 'user' ? 'engagements.v1' : 'pin-engagements.v1'
  const partition = partitionOf(key, (await log.ends(topic)).length)
  const scope = stateScope(family, await serving(store, family))
  const { position, values } = await store.read(scope, partition, [key])
  return { partition, position, value: values[0] ?? null }
}

async function serving(store: Store, family: StateFamily): Promise<string> {
  return (await store.pointer(servingPointer(family))) ?? firstGeneration
}

function checkId(name: string, id: string): void {
  const problem = idProblem(id)
  if (problem !== null) throw new ContractError('CALL_INVALID_ARGUMENT', `${name} ${problem}`)
}
