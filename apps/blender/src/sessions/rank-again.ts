import type { Scorer } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import { poolRows, poolSizeFor } from '../ordering/pool-rows.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { askRanker, rankRequest, takeUtilities } from '../scorers/ask-ranker.ts'
import { rankBudget, type ScoreColumns } from '../scorers/rank.ts'

/**
 * Asks the ranker again about the best pins of the reserve, with what is known about the user and the pins by now, so that the page is
 * recorded with the features that decided. The other pins keep their utilities. If the ranker does not answer, all pins keep them.
 */
export function rankAgain({
  ranker,
  facts,
}: Pick<StagePorts, 'ranker' | 'facts'>): Scorer<
  FeedRequest & UserContext & FreshnessContext,
  CandidateColumns & ScoreColumns,
  ScoreColumns
> {
  return {
    kind: 'scorer',
    name: 'rank-again',
    policy: 'optional',
    budget: rankBudget,
    run: async (request, { columns, rows }, { timeoutMs, signal }) => {
      const size = poolSizeFor(request, Math.ceil(request.pageSize * request.params.pagesRankedAgain))
      // Rows of a reserve are best first. The ordering steps choose from the head only, so it is chosen like their pool.
      const head = poolRows(rows, { ...columns, ranked: null }, { facts, ...size })
      if (head.length === 0) return asReserved(columns)
      const call = { timeoutMs, signal, headers: request.trace }
      const answer = await askRanker(ranker, rankRequest(request, columns, head), call)
      const utilities = columns.utilities.slice()
      return { utilities, ranked: takeUtilities(head, answer, utilities) }
    },
    otherwise: (_request, { columns }) => asReserved(columns),
  }
}

function asReserved({ utilities }: ScoreColumns): ScoreColumns {
  return { utilities, ranked: null }
}
