import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../catalogue.ts'
import type { Hits, ScoreBoard } from '../score-board.ts'
import { uninterrupted } from '../interruption.ts'
import { userKeyOf } from '../sessions.ts'
import type { SourceQuery } from '../source.ts'
import { makeRoom, recentPinsOf } from './gather.ts'
import { createNeighbourSet } from './neighbour-set.ts'
import { createNeighbourScorer, type NeighbourParameters } from './scoring.ts'
import { latestOfAll, type NeighbourPartial, type NeighbourShard, type ShardCounts } from './shard.ts'

/** A shard as the merge sees it: it may be in another process. */
export interface RemoteNeighbourShard {
  gather(pinIds: readonly PinId[]): Promise<NeighbourPartial>
  counts(pinIds: readonly PinId[]): Promise<ShardCounts>
}

/** A shard of this process, as the merge sees it. */
export function localShard(shard: NeighbourShard): RemoteNeighbourShard {
  return {
    gather: (pinIds) => Promise.resolve(shard.gather(pinIds)),
    counts: (pinIds) => Promise.resolve(shard.counts(pinIds)),
  }
}

/** Session neighbours over users that are spread over shards. */
export interface ShardedNeighbours {
  /** Fills `hits` as the source over all users would, bit for bit. Rejects when a shard does. */
  query(query: SourceQuery, hits: Hits): Promise<void>
}

/**
 * Scatter, gather, merge: each shard gives its latest trails of the user's recent pins; of them the latest of all are
 * kept; a second round asks all shards how rare the pins in them are; then neighbours are scored as in one process.
 * `catalogue` learns the pins that shards name.
 */
export function createShardedNeighbours({
  shards,
  catalogue,
  board,
  parameters,
}: {
  readonly shards: readonly RemoteNeighbourShard[]
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly parameters: NeighbourParameters
}): ShardedNeighbours {
  const scorer = createNeighbourScorer(board, parameters)
  const { maxRecentPins, maxTrailsPerPin } = parameters

  return {
    async query(query, hits) {
      const recent = recentPinsOf(query, maxRecentPins, new Int32Array(maxRecentPins))
      const asked = Array.from({ length: recent.count }, (_, i) => catalogue.pinIdOf(recent.rows[i] ?? 0))
      const partials = await Promise.all(shards.map((shard) => shard.gather(asked)))
      const kept = latestOfAll(partials, { asked: asked.length, maxTrailsPerPin })
      const own = query.userId === null ? null : userKeyOf(query.userId)

      const set = createNeighbourSet(0)
      makeRoom(
        set,
        partials.reduce((sum, { keyHighs }) => sum + keyHighs.length, 0),
      )
      set.pinRows = new Int32Array(partials.reduce((sum, { pinPlaces }) => sum + pinPlaces.length, 0))
      let filled = 0
      partials.forEach((partial, shard) => {
        const rows = partial.pinIds.map((pinId) => catalogue.intern(pinId))
        let at = 0
        for (let trail = 0; trail < partial.lengths.length; trail++) {
          const start = at
          at += partial.lengths[trail] ?? 0
          const isOwn = own !== null && partial.keyHighs[trail] === own.high && partial.keyLows[trail] === own.low
          if (isOwn || kept[shard]?.[trail] !== 1) continue
          set.starts[set.count] = filled
          set.lengths[set.count] = at - start
          set.keyHighs[set.count] = partial.keyHighs[trail] ?? 0
          set.keyLows[set.count] = partial.keyLows[trail] ?? 0
          set.lastAtMs[set.count++] = partial.lastAtMs[trail] ?? 0
          for (let i = start; i < at; i++) set.pinRows[filled++] = rows[partial.pinPlaces[i] ?? 0] ?? 0
        }
      })

      const named = [...new Set([...set.pinRows.subarray(0, filled), ...recent.rows.subarray(0, recent.count)])]
      const namedIds = named.map((row) => catalogue.pinIdOf(row))
      const answers = await Promise.all(shards.map((shard) => shard.counts(namedIds)))
      const counts = new Map(
        named.map((row, i) => [row, answers.reduce((sum, answer) => sum + (answer.counts[i] ?? 0), 0)]),
      )
      // The board makes room for pins that shards have just named.
      board.clear()
      scorer.score(recent, set, {
        atMs: query.atMs,
        interruption: uninterrupted,
        counts: {
          trailsEver: answers.reduce((sum, answer) => sum + answer.trailsEver, 0),
          countOf: (row) => counts.get(row) ?? 0,
        },
      })
      board.top(query.limit, query.accept, hits)
    },
  }
}
