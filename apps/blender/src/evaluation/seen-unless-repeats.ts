import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { seenFilter } from '../filters/seen.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'

/** Removes pins in the user's history from the home feed, unless the evaluation allows repeats. */
export function seenUnlessRepeats(): Filter<EvaluatedRequest & UserContext, CandidateColumns> {
  const filter = seenFilter()
  return {
    ...filter,
    prepare: (request, columns, call) =>
      request.evaluation.allowRepeats ? () => keep : filter.prepare(request, columns, call),
  }
}
