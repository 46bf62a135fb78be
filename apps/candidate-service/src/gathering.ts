import type { CallOptions, TrailShard } from '@freshet/contracts/ports/calls'
import type { Clock } from '@freshet/domain/clock'
import type { TrainingExample } from '@freshet/retrieval/merge/merge-learner'
import { gatherIndex, type GatheredIndex } from '@freshet/retrieval/neighbours/gathering'
import { listNames } from '@freshet/retrieval/neighbours/neighbour-index'
import type { Shard } from '@freshet/retrieval/neighbours/shard'
import type { RetrieveQuery } from '@freshet/retrieval/question'
import type { Retrieval } from '@freshet/retrieval/retrieval'
import { ownShard, remoteShard } from './shards.ts'

/** After a shard failed to answer, learning pauses for this long, so that not every fold waits for the shard. */
const pauseAfterFailureMs = 1_000

/** What a shard does together with the others. */
export interface Gathering {
  /** Gathers the part of the index that a request reads from all shards; null if the request reads none of it. */
  gather(query: RetrieveQuery, call: CallOptions): Promise<GatheredIndex | null>
  /** Learns from a training example and teaches the other shards; learns nothing if a shard does not answer. Never rejects. */
  learn(example: TrainingExample): Promise<void>
}

/** Gathers from `peers` (the other shards, in the order of their index) and from the local views in `retrieval`. */
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
    async learn(example) {
      if (clock.now() < quietUntilMs) return
      const gathered = await gather(example.question, { timeoutMs })
      if (gathered === null) return
      if (!listNames.every((list) => gathered[list].isComplete)) {
        quietUntilMs = clock.now() + pauseAfterFailureMs
        return
      }
      const ranks = retrieval().learn(example, gathered)
      await Promise.allSettled(others({ timeoutMs }).map((other) => other.teach(ranks)))
    },
  }
}
