import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../views/catalogue.ts'
import type { IndexRead, SourceQuery } from '../source.ts'
import type { ListWanted } from './list-part.ts'
import type { ListName } from './neighbour-index.ts'

/** The parts of the index that a request reads, by list. */
export type IndexWanted = Readonly<Record<ListName, ListWanted>>

/** Collects the parts of the index that the sources of a query read. */
export function findIndexWanted(query: SourceQuery, reads: readonly IndexRead[], catalogue: Catalogue): IndexWanted {
  const idsOf = (rows: Iterable<number>): PinId[] => Array.from(new Set(rows), (row) => catalogue.pinIdOf(row))
  const wanted = (list: ListName, countedPinIds: readonly PinId[]): ListWanted => {
    const readers = reads.filter((read) => read.list === list)
    return {
      list,
      pinIds: idsOf(readers.flatMap(({ pinsOf }) => pinsOf(query))),
      maxPerPin: Math.max(0, ...readers.map(({ maxPerPin }) => maxPerPin)),
      countedPinIds,
      asker: query.asker,
    }
  }
  // The merge always needs to know how rare the user's recent pins are among all trails.
  const recent = idsOf(query.recentRows.subarray(0, query.recentCount))
  return { trails: wanted('trails', recent), sessions: wanted('sessions', []) }
}
