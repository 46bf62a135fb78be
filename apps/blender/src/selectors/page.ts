import type { Selection, Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { ServedSet } from '../served-set.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/**
 * Takes the first rows that no simultaneous request has taken, and remembers them in the same step, even if there is no time
 * left to record them. Skips the pins of earlier pages that were not recorded: they come first in the order.
 */
export function page({
  memory,
  config,
}: Pick<StagePorts, 'memory' | 'config'>): Selector<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'selector',
    name: 'page',
    policy: 'required',
    reasons: ['below-page', 'on-page-before', 'taken-meanwhile'],
    run: (request, { columns, rows }) => {
      const { pageSize, page: session, userId } = request
      if (!recordsServed(request)) {
        const first = session.recorded ? 0 : session.firstPosition
        const passed = new Set(rows.subarray(0, first))
        return { rows: rows.slice(first, first + pageSize), leftFor: (row) => (passed.has(row) ? 1 : 0) }
      }
      const served = memory.served(userId, { atMs: request.atMs, windowMs: config.servedWindowMs })
      const taken =
        served === null
          ? { rows: rows.slice(0, pageSize) }
          : firstFree(rows, columns, { here: served, known: request.served, pageSize })
      if (taken.rows.length > 0) memory.serve(userId, columns.keys, taken.rows, request.atMs)
      return taken
    },
  }
}

/** The first rows that this process has not served since the request read the served pins. */
function firstFree(
  rows: Int32Array,
  { keys, shownBefore }: CandidateColumns,
  { here, known, pageSize }: { readonly here: ServedSet; readonly known: ServedSet; readonly pageSize: number },
): Selection<object> {
  const free = new Int32Array(Math.min(pageSize, rows.length))
  const served = new Set<number>()
  let count = 0
  for (let i = 0; i < rows.length && count < pageSize; i++) {
    const row = rows[i] as number
    const [high, low] = [keys.high[row] as number, keys.low[row] as number]
    const isTaken =
      shownBefore[row] === 1 ? here.atSeconds(high, low) > known.atSeconds(high, low) : here.has(high, low)
    if (isTaken) served.add(row)
    else free[count++] = row
  }
  return { rows: free.subarray(0, count), leftFor: (row) => (served.has(row) ? 2 : 0) }
}

/** Whether the blender records the pins of the page so that it does not show them again. */
export function recordsServed({ surface, recorded }: Pick<FeedRequest, 'surface' | 'recorded'>): boolean {
  return surface === 'home' && recorded
}
