import { decodeUserErasure } from '@freshet/contracts/codecs/onward'
import { createLogProgress } from '@freshet/contracts/log-progress'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'

/** The users that were erased. Ingest refuses what they did before, whoever sends it and however late. */
export interface Suppression {
  /** When a user was erased last, milliseconds since the epoch; null: never, as far as is known. */
  erasedAtMs(userId: string): number | null
  /** Takes an erasure that this process has accepted, before it comes back from the log. */
  note(userId: string, erasedAtMs: number): void
  readonly size: () => number
}

/** A suppression list that follows `erasures.v1`. */
export interface FollowedSuppression extends Suppression {
  readonly component: Component
}

const maxBatchRecords = 2_000
const topic = 'erasures.v1'

/** An empty list. Users beyond `maxUsers` are not remembered here, which the health of the process says; the feature updater, which remembers all, still drops their events. */
export function createSuppression(
  maxUsers: number,
): Suppression & { readonly full: () => boolean; forget(userId: string): void } {
  const erased = new Map<string, number>()
  let full = false
  return {
    erasedAtMs: (userId) => erased.get(userId) ?? null,
    note(userId, erasedAtMs) {
      const known = erased.get(userId)
      if (known === undefined && erased.size >= maxUsers) full = true
      else erased.set(userId, Math.max(erasedAtMs, known ?? 0))
    },
    forget: (userId) => void erased.delete(userId),
    size: () => erased.size,
    full: () => full,
  }
}

/** Takes a record of `erasures.v1`. Throws CODEC_INVALID. */
function noteRecord(
  list: Pick<Suppression, 'note'> & { forget(userId: string): void },
  { key, value }: Pick<LogRecord, 'key' | 'value'>,
): void {
  // A record without a value withdraws the erasure, for compaction.
  if (value === null) list.forget(key)
  else {
    const { userId, erasedAtMs } = decodeUserErasure(value)
    list.note(userId, erasedAtMs)
  }
}

/** Reads the list from the log to its end, all users. Throws CODEC_INVALID: whoever cannot read an erasure must not go on. */
export async function readSuppression(
  log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>,
  onError: (error: Error) => void,
  signal?: AbortSignal,
): Promise<Suppression> {
  const list = createSuppression(Number.POSITIVE_INFINITY)
  let failure: unknown = null
  await readToEnd({
    ...{ log, topic, maxBatchRecords, onError },
    onRecords(_partition, records) {
      try {
        for (const record of records) noteRecord(list, record)
      } catch (error) {
        failure ??= error
      }
    },
    ...(signal && { signal }),
  })
  if (failure !== null) throw failure as Error
  return list
}

/** Reads the list from the log and keeps up with it. The process is not ready before the list is complete. */
export async function followSuppression({
  log,
  clock,
  maxErasedUsers: maxUsers,
  report,
}: {
  readonly log: EventLog
  readonly clock: Clock
  readonly maxErasedUsers: number
  readonly report: Report
}): Promise<FollowedSuppression> {
  const list = createSuppression(maxUsers)
  const onError = (error: Error): void => report(error, { part: 'suppression', topic })
  const progress = createLogProgress()
  const follower = createViewFollower({
    log,
    clock,
    topics: [topic],
    maxBatchRecords,
    subject: 'the erased users',
    progress: () => progress,
    onBatch: ({ partition, records, next }) => {
      for (const record of records) {
        try {
          noteRecord(list, record)
        } catch (error) {
          const place = `${topic}/${partition} at ${record.position}`
          onError(new Error(`${place}: ${(error as Error).message}`, { cause: error }))
        }
      }
      progress.advance(topic, partition, next)
      return Promise.resolve()
    },
    onError,
  })
  let ended = false
  // The log may be away at the start: the process is not ready then, but it answers.
  const starting = (async () => {
    while (!ended) {
      try {
        return await follower.start()
      } catch (error) {
        onError(error as Error)
        await clock.sleep(retryEveryMs)
      }
    }
  })()
  return {
    ...list,
    component: {
      name: 'suppression',
      notReady: follower.unready,
      warning: () =>
        list.full()
          ? `more than ${maxUsers} users were erased; ingest does not know all of them (ingest.maxErasedUsers)`
          : null,
      async close() {
        ended = true
        await Promise.race([starting, clock.sleep(retryEveryMs)])
        await follower.stop()
      },
    },
  }
}

const retryEveryMs = 1_000
