import { decodeUserErasure } from '@freshet/contracts/codecs/onward'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { partitionOf } from '@freshet/domain/partition'

/**
 * The users that were erased, folded from `erasures.v1`. Events of theirs from before are dropped, in replays too; what
 * was folded of them goes by a tombstone in `engagements.v1` (the key without a value): so the erasure has a place in
 * the log that state is folded from, happens under the fence, and comes again in a rebuild.
 */
export interface Erasures {
  /** When this user was erased, milliseconds since the epoch; null: not at all. */
  erasedAtMs(userId: string): number | null
  /** Takes in records of `erasures.v1`; answers the users erased by them. An undecodable one is reported and left out. */
  fold(records: readonly LogRecord[]): readonly string[]
  /** Appends a tombstone for each of these users whose stored state holds anything from before the erasure. Doing it twice does no harm. */
  sendTombstones(userIds: readonly string[], scope: string): Promise<number>
  readonly size: () => number
}

const pageKeys = 500

/** An empty set of erased users for a log of `partitions` partitions. */
export function createErasures(options: {
  readonly log: Pick<EventLog, 'append'>
  readonly store: Pick<StateStore, 'read'>
  readonly partitions: () => number
  readonly onError: (error: Error) => void
}): Erasures {
  const erased = new Map<string, number>()
  const { log, store, onError } = options

  return {
    erasedAtMs: (userId) => erased.get(userId) ?? null,
    fold(records) {
      const users: string[] = []
      for (const { key, value, position } of records) {
        // Compaction leaves nothing behind where the erasure itself was withdrawn.
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
    async sendTombstones(userIds, scope) {
      const partitions = options.partitions()
      const byPartition = Map.groupBy(userIds, (userId) => partitionOf(userId, partitions))
      let sent = 0
      for (const [partition, users] of byPartition) {
        for (let first = 0; first < users.length; first += pageKeys) {
          const page = users.slice(first, first + pageKeys)
          const { values } = await store.read(scope, partition, page)
          const due = page.filter((userId, row) => {
            const bytes = values[row]
            return bytes != null && decodeUserState(bytes).firstAtMs <= (erased.get(userId) ?? -1)
          })
          if (due.length === 0) continue
          await log.append(
            'engagements.v1',
            due.map((key) => ({ key, value: null, partition })),
          )
          sent += due.length
        }
      }
      return sent
    },
    size: () => erased.size,
  }
}
