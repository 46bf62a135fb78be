import { decodeUserErasure } from '@freshet/contracts/codecs/onward'
import { oldestServedAtMs } from '@freshet/contracts/codecs/served'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { lastGoodScope, reserveScope, servedScope } from '@freshet/contracts/scopes'
import { heldSinceMs } from '@freshet/domain/merge-users'
import { partitionOf } from '@freshet/domain/partition'

/**
 * The users that were erased, folded from `erasures.v1`. Events of theirs from before are dropped, in replays too; what
 * was folded of them goes by a tombstone in `engagements.v1` (the key without a value): so the erasure has a place in
 * the log that state is folded from, happens under the fence, and comes again in a rebuild.
 */
export interface Erasures {
  /** When this user was erased, milliseconds since the epoch; null: never. */
  erasedAtMs(userId: string): number | null
  /** Folds records of `erasures.v1` and returns the users that they erase. Reports and skips a record that it cannot decode. */
  fold(records: readonly LogRecord[]): readonly string[]
  /**
   * Appends a tombstone for each of these users whose stored state holds anything from before the erasure, and empties
   * what they were served where that, or their state, is from before. Doing it twice does no harm.
   */
  forget(userIds: readonly string[], scope: string): Promise<void>
  /** Notes that another process or a running batch may have folded into this partition without knowing of an erasure. */
  doubt(partition: number): void
  /** Call this after each batch of a partition. If the partition is in doubt, it forgets the erased users again. */
  clearDoubt(partition: number, scope: string): Promise<void>
  readonly size: () => number
  /** All users that were erased. */
  readonly userIds: () => readonly string[]
}

const pageKeys = 500
/** The store cannot delete lists outside the fence, so an empty list expires after this time. */
const emptiedTtlMs = 1000

/** An empty set of erased users for a log of `partitions` partitions. */
export function createErasures(options: {
  readonly log: Pick<EventLog, 'append'>
  readonly store: Pick<StateStore, 'read' | 'put'>
  readonly partitions: () => number
  readonly onError: (error: Error) => void
}): Erasures {
  const erased = new Map<string, number>()
  const doubted = new Set<number>()
  const { log, store, onError } = options
  const isIn = (partition: number) => (userId: string) => partitionOf(userId, options.partitions()) === partition

  const erasures: Erasures = {
    erasedAtMs: (userId) => erased.get(userId) ?? null,
    fold(records) {
      const users: string[] = []
      for (const { key, value, position } of records) {
        // A record without a value withdraws the erasure, for compaction.
        if (value === null) {
          erased.delete(key)
          continue
        }
        try {
          const { userId, erasedAtMs } = decodeUserErasure(value)
          erased.set(userId, Math.max(erasedAtMs, erased.get(userId) ?? 0))
          users.push(userId)
        } catch (error) {
          onError(new Error(`erasures.v1 at ${position}: ${(error as Error).message}`, { cause: error }))
        }
      }
      return users
    },
    async forget(userIds, scope) {
      const partitions = options.partitions()
      const byPartition = Map.groupBy(userIds, (userId) => partitionOf(userId, partitions))
      for (const [partition, users] of byPartition) {
        for (let first = 0; first < users.length; first += pageKeys) {
          const page = users.slice(first, first + pageKeys)
          const [states, served] = await Promise.all([
            store.read(scope, partition, page),
            store.read(servedScope, partition, page),
          ])
          const isBefore = (userId: string, atMs: number | null): boolean =>
            atMs !== null && atMs <= (erased.get(userId) ?? -1)
          const due = page.filter((userId, row) => {
            const bytes = states.values[row] ?? null
            return isBefore(userId, bytes === null ? null : heldSinceMs(decodeUserState(bytes)))
          })
          const wasServed = page.filter((userId, row) =>
            isBefore(userId, oldestServedAtMs(served.values[row] ?? new Uint8Array(0))),
          )
          // This must come before the tombstone. After it, nothing may show that these users are due.
          for (const key of new Set([...due, ...wasServed])) {
            for (const short of [servedScope, lastGoodScope, reserveScope])
              await store.put(short, partition, { key, value: new Uint8Array(0), ttlMs: emptiedTtlMs })
          }
          if (due.length === 0) continue
          await log.append(
            'engagements.v1',
            due.map((key) => ({ key, value: null, partition })),
          )
        }
      }
    },
    doubt(partition) {
      doubted.add(partition)
    },
    async clearDoubt(partition, scope) {
      // Clear the doubt before reading: a doubt that arises during the read needs another read.
      if (!doubted.delete(partition)) return
      try {
        await erasures.forget([...erased.keys()].filter(isIn(partition)), scope)
      } catch (error) {
        doubted.add(partition)
        throw error
      }
    },
    size: () => erased.size,
    userIds: () => [...erased.keys()],
  }
  return erasures
}
