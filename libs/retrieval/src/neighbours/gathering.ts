import type { Catalogue } from '../views/catalogue.ts'
import type { IndexWanted } from './index-wanted.ts'
import { sumOfLags } from './lags.ts'
import type { GatheredList, IndexShard, ListWanted } from './list-part.ts'
import { mergeLists } from './merged-lists.ts'
import { listNames, type IndexReading, type ListName } from './neighbour-index.ts'

/** The parts that the shards returned for one request. */
export type GatheredIndex = Readonly<Record<ListName, GatheredList>>

/**
 * Scatter and gather: each shard returns its latest trails and sessions of the wanted pins. A second round fetches how
 * often the pins in them, and the wanted pins, were ever touched. Never rejects: it leaves out a shard that rejects.
 */
export async function gatherIndex(shards: readonly IndexShard[], wanted: IndexWanted): Promise<GatheredIndex> {
  const [trails, sessions] = await Promise.all(listNames.map((list) => gatherList(shards, wanted[list])))
  return { trails: trails ?? nothing(wanted.trails), sessions: sessions ?? nothing(wanted.sessions) }
}

async function gatherList(shards: readonly IndexShard[], wanted: ListWanted): Promise<GatheredList> {
  if (wanted.pinIds.length === 0 && wanted.countedPinIds.length === 0) return nothing(wanted)
  const first = await Promise.allSettled(shards.map((shard) => shard.part(wanted)))
  const answered = shards.filter((_, i) => first[i]?.status === 'fulfilled')
  const parts = fulfilled(first)
  const countedPinIds = [...new Set([...wanted.countedPinIds, ...parts.flatMap((part) => part.pinIds)])]
  const tallies = fulfilled(await Promise.allSettled(answered.map((shard) => shard.tally(wanted.list, countedPinIds))))
  return { wanted, parts, countedPinIds, tallies, isComplete: tallies.length === shards.length }
}

function nothing(wanted: ListWanted): GatheredList {
  return { wanted, parts: [], countedPinIds: [], tallies: [], isComplete: true }
}

function fulfilled<Value>(results: readonly PromiseSettledResult<Value>[]): Value[] {
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/** Merges the gathered parts into the index over all users, as far as the request reads it. */
export function mergeIndex({ trails, sessions }: GatheredIndex, catalogue: Catalogue): IndexReading {
  const [ofTrails, ofSessions] = [mergeLists(trails, catalogue), mergeLists(sessions, catalogue)]
  return {
    trails: ofTrails.lists,
    sessions: ofSessions.lists,
    lags: sumOfLags(trails.tallies.map((tally) => tally.lags)),
    ownTrail: ofTrails.own,
    ownSession: ofSessions.own,
  }
}
