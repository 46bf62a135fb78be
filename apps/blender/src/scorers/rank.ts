import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Scorer, Slate } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { pickFloats, pickTexts } from '../pick.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { foundColumns } from '../source-columns.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** Columns of scores. */
export interface ScoreColumns {
  /** The utility of each pin; the retrieval score if the ranker did not rank the pins. */
  readonly utilities: Float32Array
  readonly ranked: Ranked | null
}

/** The answer of the ranker, and the rows that it is about. */
export interface Ranked {
  readonly response: RankResponse
  /** For each row its index in the answer's columns; −1: not in the request. */
  readonly places: Int32Array
}

/** Asks the ranker for scores. If it does not answer, the retrieval order stays. */
export function rank({
  ranker,
}: Pick<StagePorts, 'ranker'>): Scorer<FeedRequest & UserContext & FreshnessContext, CandidateColumns, ScoreColumns> {
  return {
    kind: 'scorer',
    name: 'rank',
    policy: 'optional',
    budget: ({ params }) => ({ ms: params.rankBudgetMs, share: 0.6 }),
    run: (request, slate, { timeoutMs, signal }) => {
      if (slate.rows.length === 0) return retrievalOrder(slate)
      const { columns, rows } = slate
      const found = foundColumns(columns, rows)
      return ranker
        .rank(
          {
            userId: request.userId,
            surface: request.surface === 'home' ? Surface.HOME : Surface.RELATED,
            atMs: request.atMs,
            userState: request.user.bytes,
            pinIds: pickTexts(columns.pinIds, rows),
            retrievalScores: bytesOf(pickFloats(columns.retrievalScores, rows)),
            relatedToPinId: request.relatedToPinId,
            withFeatures: request.params.recordFeatures && request.recorded,
            await: [...request.rankerAwait],
            locale: request.locale,
            sessionId: request.sessionId,
            // Rows are in retrieval order.
            retrievalRanks: bytesOf(Uint16Array.from(rows)),
            sources: [...columns.sourceNames],
            foundBy: bytesOf(found.foundBy),
            sourceRanks: bytesOf(found.ranks),
            sourceScores: bytesOf(found.scores),
            modelVersion: '',
            headFactors: undefined,
          },
          { timeoutMs, signal, headers: request.trace },
        )
        .then((response) => scored(slate, response))
    },
    otherwise: (_request, slate) => retrievalOrder(slate),
  }
}

function retrievalOrder({ columns }: Slate<CandidateColumns>): ScoreColumns {
  return { utilities: columns.retrievalScores, ranked: null }
}

function scored({ rows, size }: Slate<CandidateColumns>, response: RankResponse): ScoreColumns {
  const answered = float32Column(response.utilities)
  if (answered.length !== rows.length)
    throw new ContractError('CALL_INTERNAL', `the ranker answered ${answered.length} utilities for ${rows.length} pins`)
  const utilities = new Float32Array(size)
  const places = new Int32Array(size).fill(-1)
  for (let place = 0; place < rows.length; place++) {
    const utility = answered[place] as number
    if (!Number.isFinite(utility))
      throw new ContractError('CALL_INTERNAL', `the ranker answered the utility ${utility}`)
    utilities[rows[place] as number] = utility
    places[rows[place] as number] = place
  }
  return { utilities, ranked: { response, places } }
}
