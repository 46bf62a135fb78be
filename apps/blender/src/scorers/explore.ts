import { float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import { hash32, mix32 } from '@freshet/domain/hash'
import { normalDraw } from '@freshet/domain/normal-draw'
import type { Scorer } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { Ranked } from './ask-ranker.ts'
import type { ScoreColumns } from './rank.ts'

/** Columns of exploration. */
export interface ExplorationColumns {
  /** What exploration adds to the utility of each pin, in its unit; null: nothing. */
  readonly exploration: Float32Array | null
}

/**
 * Adds `deviation · (optimism + chance · draw)` to each utility: pins of which little is known come first now and then, and the feed
 * finds out whether they are good. The draws are normal and independent, so that a page tries several things.
 * They depend only on the seed, the user, the start of the page session and the pin: all pages of a session are ordered alike, and a request
 * that is repeated gives the same order. Pins that the ranker was not asked about keep what was added before. With optimism alone this is the upper confidence bound, with chance alone Thompson sampling.
 */
export function explore(): Scorer<
  FeedRequest,
  CandidateColumns & ScoreColumns & Partial<ExplorationColumns>,
  ExplorationColumns
> {
  return {
    kind: 'scorer',
    name: 'explore',
    policy: 'optional',
    otherwise: (_request, { columns }) => ({ exploration: before(columns, columns.ranked) }),
    run: ({ params, userId, page }, { columns, rows, size }) => {
      const { keys, ranked } = columns
      const { explorationOptimism: optimism, explorationChance: chance } = params
      const kept = before(columns, ranked)
      if (ranked === null || (optimism === 0 && chance === 0)) return { exploration: kept }
      const deviations = float32Column(ranked.response.utilityDeviations)
      if (deviations.length === 0) return { exploration: kept }
      const asked = float32Column(ranked.response.utilities).length
      if (deviations.length !== asked)
        throw new ContractError(
          'CALL_INTERNAL',
          `the ranker answered ${deviations.length} deviations of utilities for ${asked} pins`,
        )
      const seed = hash32(`${userId}/${page.startedAtMs}`, params.seed)
      const exploration = kept ?? new Float32Array(size)
      for (const row of rows) {
        const place = ranked.places[row]!
        if (place === -1) continue
        const deviation = deviations[place]!
        if (!(deviation >= 0 && Number.isFinite(deviation)))
          throw new ContractError('CALL_INTERNAL', `the ranker answered the deviation ${deviation} of a utility`)
        const draw = chance === 0 ? 0 : normalDraw(seed ^ mix32(keys.high[row]! ^ mix32(keys.low[row]!)))
        exploration[row] = deviation * (optimism + chance * draw)
      }
      return { exploration }
    },
  }
}

/** What was added to pins before, without those that were ranked now; null: nothing. */
function before({ exploration }: Partial<ExplorationColumns>, ranked: Ranked | null): Float32Array | null {
  if (exploration == null || ranked === null) return exploration ?? null
  return exploration.map((added, row) => (ranked.places[row] === -1 ? added : 0))
}
