import { actions } from '@freshet/domain/engagement'
import type { Source, SourceQuery } from '../source.ts'

/** More than a person reads. */
const maxSeeds = 8
const save = actions.indexOf('save')

/**
 * The actions of the request that a source started from, as their indices, in the order in which they count: for each pin its newest save,
 * or the newest action. Call it right after the source's query.
 */
export function seedsOf(source: Source, query: SourceQuery): Uint16Array {
  const rows = source.startedFrom?.(query) ?? []
  const seeds = new Uint16Array(Math.min(maxSeeds, rows.length))
  let count = 0
  for (let i = 0; i < rows.length && count < seeds.length; i++) {
    const place = placeOf(rows[i]!, query)
    if (place >= 0) seeds[count++] = place
  }
  return seeds.subarray(0, count)
}

function placeOf(row: number, { recentCount, recentRows, recentActions, recentPlaces }: SourceQuery): number {
  let place = -1
  for (let i = recentCount - 1; i >= 0; i--) {
    if (recentRows[i] !== row) continue
    if (recentActions[i] === save) return recentPlaces[i]!
    if (place < 0) place = recentPlaces[i]!
  }
  return place
}
