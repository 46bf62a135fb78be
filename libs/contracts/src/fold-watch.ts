import type { Clock } from '@freshet/domain/clock'
import {
  epochIn,
  firstLog,
  identityOf,
  logReplaced,
  positionIn,
  readFollowedLog,
  type FollowedLog,
} from './followed-log.ts'
import type { EventLog } from './ports/event-log.ts'
import type { StateStore } from './ports/state-store.ts'
import { familyTopic, firstGeneration, servingPointer, stateScope } from './scopes.ts'

/** Checks whether the feature updater folds what users do into their state. Services that accept events or read state use it. */
export interface FoldWatch {
  /** Why events are not folded, with the command that fixes it; null: no problem is known. */
  problem(): string | null
  /** Checks once. Rejects when the log or the store does not answer; the last result then stays. */
  look(): Promise<void>
  /** Checks again and again until the signal is aborted. */
  run(signal: AbortSignal, onError: (error: unknown) => void): Promise<void>
}

const defaultEveryMs = 5_000

/** Creates a watch that has not checked yet. */
export function createFoldWatch({
  log,
  store,
  clock,
  everyMs = defaultEveryMs,
}: {
  readonly log: Pick<EventLog, 'identity' | 'ends'>
  readonly store: Pick<StateStore, 'pointer' | 'positions'>
  readonly clock: Clock
  readonly everyMs?: number
}): FoldWatch {
  const topic = familyTopic.user
  let problem: string | null = null

  async function look(): Promise<void> {
    const followed = await readFollowedLog(store, topic)
    const scope = stateScope('user', (await store.pointer(servingPointer('user'))) ?? firstGeneration)
    const id = await identityOf(log, topic)
    if (id !== '' && followed.id !== '' && id !== followed.id) {
      problem = logReplaced(`${topic} is another log than the one that users' state was folded from`).message
      return
    }
    const count = (await log.ends(topic)).length
    const stored = await store.positions(
      scope,
      Array.from({ length: count }, (_, partition) => partition),
    )
    // Read the ends after the positions: an end read earlier could lie before a newer position.
    const ends = await log.ends(topic)
    const at = stored.findIndex((position, partition) => placeOf(position, followed) > (ends[partition] ?? 0))
    problem =
      at < 0
        ? null
        : logReplaced(`${topic}/${at} ends at ${ends[at]}, before the stored position ${placeOf(stored[at], followed)}`)
            .message
  }

  return {
    problem: () => problem,
    look,
    async run(signal, onError) {
      while (!signal.aborted) {
        await look().catch(onError)
        await clock.sleep(everyMs, signal).catch(() => undefined)
      }
    },
  }
}

/** The position in the followed log that a stored position encodes; 0: nothing of that log was folded. */
export function placeOf(stored: number | null | undefined, followed: FollowedLog = firstLog): number {
  return stored != null && epochIn(stored) === followed.epoch ? positionIn(stored) : 0
}
