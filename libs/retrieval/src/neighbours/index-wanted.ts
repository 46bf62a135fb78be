import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../views/catalogue.ts'
import type { IndexRead, SourceQuery } from '../source.ts'
import type { ListWanted } from './list-part.ts'
import type { ListName } from './neighbour-index.ts'

/** What a request reads of the index, list by list. */
export type IndexWanted = Readonly<Record<ListName, ListWanted>>

/** What a query reads of the index through the sources that it asks. */
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
  // The merge asks how rare the user's recent pins are among all trails, whichever sources it asks.
  const recent = idsOf(query.recentRows.subarray(0, query.recentCount))
  return { trails: wanted('trails', recent), sessions: wanted('sessions', []) }
}
