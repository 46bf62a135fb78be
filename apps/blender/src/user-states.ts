import { nothingElse, type StateStore } from '@freshet/contracts/ports/state-store'
import { firstGeneration, servedScope, servingPointer, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import { partitionOf } from '@freshet/domain/partition'
import type { Clock } from '@freshet/domain/clock'
import type { MetaRead } from './token-problems.ts'

/** A user's state as of a position of the user's partition. */
export interface StoredUser {
  readonly bytes: Uint8Array | null
  readonly position: number | null
}

/** Reads what is stored of users, in the generation that serves. */
export interface UserStates {
  partitionOf(userId: string): number
  read(userId: string, signal: AbortSignal): Promise<StoredUser>
  readServed(userId: string, signal: AbortSignal): Promise<Uint8Array | null>
  /** What is told of a partition beside its users. */
  readMeta(partition: number, signal: AbortSignal): Promise<MetaRead>
  /** Positions up to which a family's state has been folded; 0: nothing. */
  positions(family: StateFamily, partitions: readonly number[], signal: AbortSignal): Promise<readonly number[]>
}

/** Reads through a store. Which generation serves is asked at most every `pointerRefreshMs`, beside the requests. */
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
  const serving = new Map<StateFamily, { scope: string; readAtMs: number; refreshing: boolean }>()

  async function ask(family: StateFamily): Promise<string> {
    return stateScope(family, (await store.pointer(servingPointer(family))) ?? firstGeneration)
  }

  async function refresh(family: StateFamily): Promise<void> {
    const entry = serving.get(family)
    if (entry === undefined) return
    entry.refreshing = true
    entry.readAtMs = clock.now()
    try {
      entry.scope = await ask(family)
    } catch (error) {
      onPointerError(error)
    } finally {
      entry.refreshing = false
    }
  }

  async function scopeOf(family: StateFamily): Promise<string> {
    const entry = serving.get(family)
    if (entry === undefined) {
      const scope = await ask(family)
      serving.set(family, { scope, readAtMs: clock.now(), refreshing: false })
      return scope
    }
    if (!entry.refreshing && clock.now() - entry.readAtMs >= pointerRefreshMs) void refresh(family)
    return entry.scope
  }

  return {
    partitionOf: (userId) => partitionOf(userId, partitions),
    async read(userId, signal) {
      const scope = await scopeOf('user')
      const { position, values } = await store.read(scope, partitionOf(userId, partitions), [userId], { signal })
      return { bytes: values[0] ?? null, position }
    },
    async readMeta(partition, signal) {
      return store.readForFold({ ...nothingElse, scope: await scopeOf('user'), partition }, { signal })
    },
    async readServed(userId, signal) {
      const { values } = await store.read(servedScope, partitionOf(userId, partitions), [userId], { signal })
      return values[0] ?? null
    },
    async positions(family, asked, signal) {
      if (asked.length === 0) return []
      const positions = await store.positions(await scopeOf(family), asked, { signal })
      return positions.map((position) => position ?? 0)
    },
  }
}
