import { decodedUserState } from '@freshet/contracts/codecs/decoded-user-state'
import { float32Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { idProblem } from '@freshet/domain/ids'
import type { UserState } from '@freshet/domain/user-state'
import type { RankingPage } from '@freshet/ranking/serving/page'
import { parseHeadFactors } from './head-factors.ts'
import { firstNotFinite, parseRetrieval } from './rank-retrieval.ts'
import { invalid } from './invalid.ts'

/** Checks a request and returns its page. Throws CALL_INVALID_ARGUMENT with the field, the problem and the allowed values. */
export function parseCandidates(request: RankRequest, maxCandidates: number): RankingPage {
  const { atMs, pinIds } = request
  if (!Number.isSafeInteger(atMs) || atMs <= 0)
    throw invalid('at_ms', `is ${atMs}; give the time of the request in milliseconds since the epoch`)
  if (pinIds.length > maxCandidates)
    throw invalid('pin_ids', `holds ${pinIds.length} candidates; at most ${maxCandidates} are allowed`)
  for (let at = 0; at < pinIds.length; at++) {
    const problem = idProblem(pinIds[at]!)
    if (problem !== null) throw invalid(`pin_ids[${at}]`, problem)
  }
  if (request.sessionId !== '') {
    const problem = idProblem(request.sessionId)
    if (problem !== null) throw invalid('session_id', problem)
  }
  const retrievalScores = parseScores(request)
  return {
    pinIds,
    atMs,
    retrievalScores,
    retrieval: parseRetrieval(request),
    user: parseUser(request),
    headFactors: parseHeadFactors(request),
    request: {
      userId: request.userId,
      // As the trainer's rows name it.
      surface: request.surface === Surface.RELATED ? 'related' : 'home',
      locale: request.locale,
      sources: request.sources,
      foundBy: uint32Column(request.foundBy),
    },
  }
}

function parseScores({ retrievalScores: bytes, pinIds }: RankRequest): Float32Array {
  if (bytes.byteLength !== pinIds.length * 4)
    throw invalid('retrieval_scores', `has ${bytes.byteLength} bytes; ${pinIds.length} candidates need 4 each`)
  const scores = float32Column(bytes)
  const bad = firstNotFinite(scores)
  if (bad >= 0) throw invalid(`retrieval_scores[${bad}]`, `is ${scores[bad]}; give a finite number`)
  return scores
}

/** null: a request without a user, or a user without state. */
function parseUser({ userState }: RankRequest): UserState | null {
  if (userState.byteLength === 0) return null
  try {
    return decodedUserState(userState)
  } catch (error) {
    throw invalid('user_state', `cannot be decoded (${(error as Error).message}); send it as the store holds it`, error)
  }
}
