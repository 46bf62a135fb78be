import type { FeedRequest } from '../request.ts'
import type { EvaluationTerms } from './evaluation-terms.ts'

/** A request of an evaluation. */
export interface EvaluatedRequest extends FeedRequest {
  readonly evaluation: EvaluationTerms
}

/** Whether a request belongs to an evaluation. */
export function isEvaluated(request: FeedRequest): request is EvaluatedRequest {
  return request.evaluation !== null
}
