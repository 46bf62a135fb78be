import type { Filter, Selection, Selector, Slate, StageCall } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import { claimPage, type ClaimPorts } from './claim-page.ts'
import { chooseRows, pageReasons, refusedNow, takenIn } from './choose-rows.ts'

type PageRequest = FeedRequest & UserContext

/**
 * Takes the first rows that may still be shown: the filters decide once more, with what this process knows by now. Claims them in the
 * state store before the answer, so that no other request of the user takes them, in any process. If the store does not answer in time,
 * only this process remembers the page. Skips the pins of earlier pages that were not recorded: they come first in the order.
 */
export function page<Request extends PageRequest>(
  ports: ClaimPorts & Pick<StagePorts, 'memory' | 'config'>,
  filters: readonly Filter<Request, CandidateColumns>[],
): Selector<Request, CandidateColumns> {
  const { memory, config } = ports
  return {
    kind: 'selector',
    name: 'page',
    policy: 'optional',
    reasons: pageReasons,
    budget: (request) => (recordsServed(request) ? { ms: request.params.recordBudgetMs, share: 0.8 } : undefined),
    run(request, slate, call) {
      const refused = () => refusedNow(filters, newest(request), slate, call)
      return recordsServed(request)
        ? claimPage(request, slate, { ports, refusedNow: refused, signal: call.signal })
        : unrecordedPage(request, slate, refused())
    },
    otherwise(request, slate) {
      const refused = refusedOrAll(request, slate)
      if (!recordsServed(request)) return unrecordedPage(request, slate, refused)
      const { userId, atMs, served, pageSize } = request
      const mine = memory.served(userId, { atMs, windowMs: config.servedWindowMs })
      const chosen = chooseRows(slate.rows, { pageSize, taken: takenIn([mine], served, slate.columns), refused })
      if (chosen.rows.length > 0) memory.serve(userId, slate.columns.keys, chosen.rows, atMs)
      return chosen
    },
  }

  /** A filter that fails again removes every row. */
  function refusedOrAll(request: Request, slate: Slate<CandidateColumns>): (row: number) => boolean {
    try {
      return refusedNow(filters, newest(request), slate, noTime)
    } catch {
      return () => true
    }
  }

  /** Another request of the user may have read a newer state meanwhile. */
  function newest(request: Request): Request {
    const user = request.userId === '' ? null : memory.known(request.userId)
    return user === null || user === request.user ? request : { ...request, user }
  }
}

const noTime: StageCall = { timeoutMs: 0, signal: AbortSignal.abort() }

function unrecordedPage(
  { pageSize, page: session }: PageRequest,
  { rows }: Slate<CandidateColumns>,
  refused: (row: number) => boolean,
): Selection<object> {
  const first = session.recorded ? 0 : session.firstPosition
  const passed = new Set(rows.subarray(0, first))
  const { rows: taken, leftFor } = chooseRows(rows.subarray(first), { pageSize, taken: () => false, refused })
  return { rows: taken, leftFor: (row) => (passed.has(row) ? pageReasons.indexOf('on-page-before') : leftFor(row)) }
}

/** Whether the blender records the pins of the page so that it does not show them again. */
export function recordsServed({ surface, recorded }: Pick<FeedRequest, 'surface' | 'recorded'>): boolean {
  return surface === 'home' && recorded
}
