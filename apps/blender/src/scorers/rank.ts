import type { Scorer, Slate } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import { relatedScores } from './related-order.ts'
import { askRanker, rankRequest, takeUtilities, type Ranked } from './ask-ranker.ts'

/** Columns of scores. */
export interface ScoreColumns {
  /** The utility of each pin; the retrieval score if the ranker did not rank the pins. */
  readonly utilities: Float32Array
  readonly ranked: Ranked | null
}

/** The time limit of all stages that ask the ranker. */
export const rankBudget = ({ params }: Pick<FeedRequest, 'params'>) => ({ ms: params.rankBudgetMs, share: 0.6 })

/** Asks the ranker for scores. If it does not answer, the retrieval order stays. Related pins have an order of their own, unless a parameter says otherwise. */
export function rank({
  ranker,
  facts,
}: Pick<StagePorts, 'ranker' | 'facts'>): Scorer<
  FeedRequest & UserContext & FreshnessContext,
  CandidateColumns,
  ScoreColumns
> {
  return {
    kind: 'scorer',
    name: 'rank',
    policy: 'optional',
    budget: rankBudget,
    run: async (request, slate, { timeoutMs, signal }) => {
      const { columns, rows, size } = slate
      if (rows.length === 0) return retrievalOrder(slate)
      if (request.surface === 'related' && request.params.relatedOrder === 'sources')
        return { utilities: relatedScores(request, slate, facts), ranked: null }
      const call = { timeoutMs, signal, headers: request.trace }
      const answer = await askRanker(ranker, rankRequest(request, columns, rows), call)
      const utilities = new Float32Array(size)
      return { utilities, ranked: takeUtilities(rows, answer, utilities) }
    },
    otherwise: (_request, slate) => retrievalOrder(slate),
  }
}

function retrievalOrder({ columns }: Slate<CandidateColumns>): ScoreColumns {
  return { utilities: columns.retrievalScores, ranked: null }
}
