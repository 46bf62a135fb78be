import type { CallOptions, TrailShard } from '@freshet/contracts/ports/calls'
import type { Clock } from '@freshet/domain/clock'
import type { Lesson } from '@freshet/retrieval/merge/learning'
import { gatherIndex, type GatheredIndex } from '@freshet/retrieval/neighbours/gathering'
import { listNames } from '@freshet/retrieval/neighbours/neighbour-index'
import type { Shard } from '@freshet/retrieval/neighbours/shard'
import type { RetrieveQuery } from '@freshet/retrieval/question'
import type { Retrieval } from '@freshet/retrieval/retrieval'
import { ownShard, remoteShard } from './trails.ts'

/** After a lesson that a shard missed the next one waits this long, so that folds do not wait for the shard one after the other. */
const pauseAfterFailureMs = 1_000

/** What a shard does with the others. */
export interface Gathering {
  /** What all shards hold of the index that a request reads; null where it reads none. */
  gather(query: RetrieveQuery, call: CallOptions): Promise<GatheredIndex | null>
  /** Learns from a lesson, and teaches the others; resolves without where a shard does not answer. Never rejects. */
  learn(lesson: Lesson): Promise<void>
}

/** Gathers from `peers`, the other shards in the order of their index, and from the views that `retrieval` gives. */
export function createGathering({
  retrieval,
  shard,
  peers,
  clock,
  timeoutMs,
}: {
  readonly retrieval: () => Retrieval
  readonly shard: Shard
  readonly peers: readonly TrailShard[]
  readonly clock: Pick<Clock, 'now'>
  readonly timeoutMs: number
}): Gathering {
  let quietUntilMs = -Infinity

  function others(call: CallOptions) {
    const untilMs = clock.now() + Math.min(timeoutMs, call.timeoutMs)
    const options = (): CallOptions => ({ ...call, timeoutMs: untilMs - clock.now() })
    return peers.map((peer, at) => remoteShard(peer, { ...shard, index: at < shard.index ? at : at + 1 }, options))
  }

  async function gather(query: RetrieveQuery, call: CallOptions): Promise<GatheredIndex | null> {
    const wanted = retrieval().indexWanted(query)
    const readsNone = listNames.every(
      (list) => wanted[list].pinIds.length === 0 && wanted[list].countedPinIds.length === 0,
    )
    return readsNone ? null : gatherIndex([ownShard(retrieval()), ...others(call)], wanted)
  }

  return {
    gather,
    async learn(lesson) {
      if (clock.now() < quietUntilMs) return
      const gathered = await gather(lesson.question, { timeoutMs })
      if (gathered === null) return
      if (!listNames.every((list) => gathered[list].isComplete)) {
        quietUntilMs = clock.now() + pauseAfterFailureMs
        return
      }
      const ranks = retrieval().learn(lesson, gathered)
      await Promise.allSettled(others({ timeoutMs }).map((other) => other.teach(ranks)))
    },
  }
}
