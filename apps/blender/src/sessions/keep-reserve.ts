import { reserveScope } from '@freshet/contracts/scopes'
import type { SideEffect } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import { pickBits, pickFloats, pickTexts } from '../pick.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'
import { bestFirst } from '../selectors/by-utility.ts'
import { recordsServed } from '../selectors/page.ts'
import { foundColumns } from '../source-columns.ts'
import { encodeReserve, type Reserve } from './reserve.ts'
import { termsMark } from './session-request.ts'

type Columns = CandidateColumns & ScoreColumns & ExplorationColumns

/** Keeps the ranked pins behind the page for the next pages of the session, whichever blender makes them. The answer does not wait for the write. */
export function keepReserve({
  store,
  users,
  config,
  observer,
}: Pick<StagePorts, 'store' | 'users' | 'config' | 'observer'>): SideEffect<FeedRequest & UserContext, Columns> {
  return {
    kind: 'side-effect',
    name: 'keep-reserve',
    policy: 'optional',
    run: (request, { columns, rows }) => {
      if (!recordsServed(request) || columns.ranked === null || config.maxReservePins === 0) return
      const { userId } = request
      const value = encodeReserve(toReserve(request, columns, rows, config.maxReservePins))
      store
        .put(
          reserveScope,
          users.partitionOf(userId),
          { key: userId, value, ttlMs: config.reserveTtlMs },
          { lingerMs: config.unwrittenLingerMs },
        )
        .catch((error: unknown) => {
          observer.failed('page-reserve', error)
        })
    },
  }
}

/** Repeats are left out: each page decides again whether they may be shown. */
function toReserve(request: FeedRequest & UserContext, columns: Columns, ordered: Int32Array, max: number): Reserve {
  const behind = ordered.subarray(request.pageSize)
  const fresh = firstFresh(behind, columns, max)
  // In the order of the page, so that the ordering steps of next pages have something to choose from.
  const rows = bestFirst(fresh, columns, request.params.seed)
  const { exploration } = columns
  return {
    startedAtMs: request.page.startedAtMs,
    acted: request.user.acted,
    terms: termsMark(request),
    exhausted: columns.sweep.exhausted && rows.length === behind.length,
    pinIds: pickTexts(columns.pinIds, rows),
    utilities: pickFloats(columns.utilities, rows),
    exploration: exploration === null ? null : pickFloats(exploration, rows),
    retrievalScores: pickFloats(columns.retrievalScores, rows),
    retrievalRanks: Uint16Array.from(rows),
    sourceNames: columns.sourceNames,
    boards: columns.boards === null ? null : pickBits(columns.boards, rows),
    found: foundColumns(columns, rows),
    embeddings: columns.embeddings,
    seeds: columns.seeds,
  }
}

/** The first `max` rows that are no repeats. */
function firstFresh(rows: Int32Array, { shownBefore }: CandidateColumns, max: number): Int32Array {
  const fresh = new Int32Array(Math.min(max, rows.length))
  let count = 0
  for (let i = 0; i < rows.length && count < fresh.length; i++)
    if (shownBefore[rows[i]!] !== 1) fresh[count++] = rows[i]!
  return fresh.subarray(0, count)
}
