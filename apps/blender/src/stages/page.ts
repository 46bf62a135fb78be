import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { PinKeys } from '../pin-keys.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { ServedSet } from '../served-set.ts'

/**
 * Takes the rows of the page: the first ones that no request at the same time has taken, and remembers at once that they
 * are taken, whether or not there will be time to record it. Pages that were not recorded are the first of the order, and
 * passed over.
 */
export function page({
  memory,
  config,
}: Pick<StagePorts, 'memory' | 'config'>): Selector<FeedRequest, CandidateColumns> {
  return {
    kind: 'selector',
    name: 'page',
    policy: 'required',
    run: (request, { columns: { keys }, rows }) => {
      const { pageSize, page: session, userId } = request
      if (!recordsServed(request)) {
        const first = session.recorded ? 0 : session.firstPosition
        return rows.slice(first, first + pageSize)
      }
      const served = memory.served(userId, { atMs: request.atMs, windowMs: config.servedWindowMs })
      const taken = served === null ? rows.slice(0, pageSize) : firstFree(rows, keys, { served, pageSize })
      if (taken.length > 0) memory.serve(userId, keys, taken, request.atMs)
      return taken
    },
  }
}

/** The first rows that have not been served. */
function firstFree(
  rows: Int32Array,
  keys: PinKeys,
  { served, pageSize }: { readonly served: ServedSet; readonly pageSize: number },
): Int32Array {
  const free = new Int32Array(Math.min(pageSize, rows.length))
  let count = 0
  for (let i = 0; i < rows.length && count < pageSize; i++) {
    const row = rows[i] as number
    if (!served.has(keys.high[row] as number, keys.low[row] as number)) free[count++] = row
  }
  return free.subarray(0, count)
}

/** Whether what is shown must not be shown again, and is written down for that. */
export function recordsServed({ surface, dryRun, candidatesOnly }: FeedRequest): boolean {
  return surface === 'home' && !dryRun && !candidatesOnly
}
