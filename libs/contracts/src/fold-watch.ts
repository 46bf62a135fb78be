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

/** Looks from outside whether what users do is folded into their state: for who takes events, and for who reads state. */
export interface FoldWatch {
  /** Why it is not, naming the command that mends it; null: it is, as far as is known. */
  problem(): string | null
  /** Asks once; rejects where log or store do not answer, and keeps what was known. */
  look(): Promise<void>
  /** Asks until the signal is aborted. */
  run(signal: AbortSignal, onError: (error: unknown) => void): Promise<void>
}

const defaultEveryMs = 5_000

/** A watch that has not looked yet. */
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
    // Asked for after the positions: an older end may lie before a newer position.
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

/** The place in the followed log that a stored position stands for; 0: nothing of it was folded. */
export function placeOf(stored: number | null | undefined, followed: FollowedLog = firstLog): number {
  return stored != null && epochIn(stored) === followed.epoch ? positionIn(stored) : 0
}
