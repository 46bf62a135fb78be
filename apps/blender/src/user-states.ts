import { placeOf } from '@freshet/contracts/fold-watch'
import { logTag, readFollowedLog, type FollowedLog } from '@freshet/contracts/followed-log'
import { nothingElse, type StateStore } from '@freshet/contracts/ports/state-store'
import {
  familyTopic,
  firstGeneration,
  reserveScope,
  servedScope,
  servingPointer,
  stateScope,
  type StateFamily,
} from '@freshet/contracts/scopes'
import { partitionOf } from '@freshet/domain/partition'
import type { Clock } from '@freshet/domain/clock'
import type { MetaRead } from './token-problems.ts'

/** A user's state, and the position of the user's partition that it reflects. */
export interface StoredUser {
  readonly bytes: Uint8Array | null
  readonly position: number | null
}

/** Reads the stored state of users from the generation that serves. */
export interface UserStates {
  partitionOf(userId: string): number
  read(userId: string, signal: AbortSignal): Promise<StoredUser>
  readServed(userId: string, signal: AbortSignal): Promise<Uint8Array | null>
  readReserve(userId: string, signal: AbortSignal): Promise<Uint8Array | null>
  /** Reads the meta of a partition. */
  readMeta(partition: number, signal: AbortSignal): Promise<MetaRead>
  /** Positions up to which the state of a family has been folded; 0: none. */
  positions(family: StateFamily, partitions: readonly number[], signal: AbortSignal): Promise<readonly number[]>
  /** Whether user state is folded from the logs with these short names (`logTag`). Asks the store again before it returns false. */
  follows(logs: readonly string[]): Promise<boolean>
}

interface Serving {
  scope: string
  followed: FollowedLog
  readAtMs: number
  refreshing: boolean
}

/** Reads from a state store. It checks which generation serves at most every `pointerRefreshMs`, in the background. */
export function createUserStates({
  store,
  clock,
  partitions,
  pointerRefreshMs,
  onPointerError,
}: {
  readonly store: StateStore
  readonly clock: Clock
  readonly partitions: number
  readonly pointerRefreshMs: number
  readonly onPointerError: (error: unknown) => void
}): UserStates {
  const serving = new Map<StateFamily, Serving>()

  async function ask(family: StateFamily): Promise<Pick<Serving, 'scope' | 'followed'>> {
    const [generation, followed] = await Promise.all([
      store.pointer(servingPointer(family)),
      readFollowedLog(store, familyTopic[family]),
    ])
    return { scope: stateScope(family, generation ?? firstGeneration), followed }
  }

  async function refresh(family: StateFamily): Promise<void> {
    const entry = serving.get(family)
    if (entry === undefined) return
    entry.refreshing = true
    entry.readAtMs = clock.now()
    try {
      Object.assign(entry, await ask(family))
    } catch (error) {
      onPointerError(error)
    } finally {
      entry.refreshing = false
    }
  }

  async function getServing(family: StateFamily): Promise<Serving> {
    const entry = serving.get(family)
    if (entry === undefined) {
      const made = { ...(await ask(family)), readAtMs: clock.now(), refreshing: false }
      serving.set(family, made)
      return made
    }
    if (!entry.refreshing && clock.now() - entry.readAtMs >= pointerRefreshMs) void refresh(family)
    return entry
  }

  const readShort = async (scope: string, userId: string, signal: AbortSignal): Promise<Uint8Array | null> => {
    const { values } = await store.read(scope, partitionOf(userId, partitions), [userId], { signal })
    return values[0] ?? null
  }

  const isOf = ({ followed }: Serving, logs: readonly string[]): boolean =>
    followed.id === '' || logs.every((log) => log === logTag(followed.id))

  return {
    partitionOf: (userId) => partitionOf(userId, partitions),
    async read(userId, signal) {
      const { scope, followed } = await getServing('user')
      const { position, values } = await store.read(scope, partitionOf(userId, partitions), [userId], { signal })
      return { bytes: values[0] ?? null, position: position === null ? null : placeOf(position, followed) }
    },
    async readMeta(partition, signal) {
      return store.readForFold({ ...nothingElse, scope: (await getServing('user')).scope, partition }, { signal })
    },
    readServed: (userId, signal) => readShort(servedScope, userId, signal),
    readReserve: (userId, signal) => readShort(reserveScope, userId, signal),
    async positions(family, asked, signal) {
      if (asked.length === 0) return []
      const { scope, followed } = await getServing(family)
      const positions = await store.positions(scope, asked, { signal })
      return positions.map((position) => placeOf(position, followed))
    },
    async follows(logs) {
      if (isOf(await getServing('user'), logs)) return true
      await refresh('user')
      return isOf(await getServing('user'), logs)
    },
  }
}
