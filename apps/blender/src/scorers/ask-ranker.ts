import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { HeadFactors, RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { CallOptions, RankAnswer } from '@freshet/contracts/ports/calls'
import { retrievalRanksOf, type CandidateColumns } from '../candidates.ts'
import { pickFloats, pickTexts } from '../pick.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { foundColumns } from '../source-columns.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** The answer of the ranker, and the rows that it is about. */
export interface Ranked {
  readonly response: RankAnswer
  /** For each row its index in the answer's columns; −1: not in the request. */
  readonly places: Int32Array
  /** Codes that say what the ranker did not do as it was asked. They do not degrade the feed. */
  readonly notes: readonly ErrorCode[]
}

/** The request to the ranker for some rows. */
export function rankRequest(
  request: FeedRequest & UserContext & FreshnessContext,
  columns: CandidateColumns,
  rows: Int32Array,
): RankRequest {
  const found = foundColumns(columns, rows)
  return {
    userId: request.userId,
    surface: request.surface === 'related' ? Surface.RELATED : Surface.HOME,
    atMs: request.atMs,
    userState: request.user.bytes,
    pinIds: pickTexts(columns.pinIds, rows),
    retrievalScores: bytesOf(pickFloats(columns.retrievalScores, rows)),
    relatedToPinId: request.relatedToPinId,
    withFeatures: request.params.recordFeatures && request.recorded,
    await: [...request.rankerAwait],
    locale: request.locale,
    sessionId: request.sessionId,
    retrievalRanks: bytesOf(retrievalRanksOf(columns, rows)),
    sources: [...columns.sourceNames],
    foundBy: bytesOf(found.foundBy),
    sourceRanks: bytesOf(found.ranks),
    sourceScores: bytesOf(found.scores),
    modelVersion: request.experiments.model(),
    headFactors: headFactorsOf(request.experiments.headFactors()),
  }
}

/**
 * Asks the ranker. If it refuses a request with factors on heads, asks again without them: a name that the model does not have must
 * not cost the user the ranking.
 */
export async function askRanker(
  ranker: StagePorts['ranker'],
  asked: RankRequest,
  call: CallOptions,
): Promise<Pick<Ranked, 'response' | 'notes'>> {
  try {
    const response = await ranker.rank(asked, call)
    const isOther = asked.modelVersion !== '' && response.modelVersion !== asked.modelVersion
    return { response, notes: isOther ? ['FEED_MODEL_NOT_HELD'] : [] }
  } catch (error) {
    const isRefused = isContractError(error) && error.code === 'CALL_INVALID_ARGUMENT'
    if (!isRefused || asked.headFactors === undefined) throw error
    const { response, notes } = await askRanker(ranker, { ...asked, headFactors: undefined }, call)
    return { response, notes: ['FEED_HEAD_FACTORS_REFUSED', ...notes] }
  }
}

/** Writes the utilities of the rows that the request was about into `utilities`. Throws CALL_INTERNAL if the answer does not fit. */
export function takeUtilities(
  rows: Int32Array,
  { response, notes }: Pick<Ranked, 'response' | 'notes'>,
  utilities: Float32Array,
): Ranked {
  const answered = float32Column(response.utilities)
  if (answered.length !== rows.length)
    throw new ContractError('CALL_INTERNAL', `the ranker answered ${answered.length} utilities for ${rows.length} pins`)
  const places = new Int32Array(utilities.length).fill(-1)
  for (let place = 0; place < rows.length; place++) {
    const utility = answered[place] as number
    if (!Number.isFinite(utility))
      throw new ContractError('CALL_INTERNAL', `the ranker answered the utility ${utility}`)
    utilities[rows[place] as number] = utility
    places[rows[place] as number] = place
  }
  return { response, places, notes }
}

function headFactorsOf(factors: ReadonlyMap<string, number>): HeadFactors | undefined {
  if (factors.size === 0) return undefined
  return { heads: [...factors.keys()], factors: bytesOf(Float32Array.from(factors.values())) }
}
