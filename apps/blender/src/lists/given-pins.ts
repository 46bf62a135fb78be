import type { Source } from '@freshet/pipeline/stage'
import { toCandidates, type CandidateColumns } from '../candidates.ts'
import type { ListRequest } from './list-request.ts'

/** The pins of the caller's list. Their order counts as the order of retrieval, so it stays if the ranker does not answer. */
export function givenPins(): Source<Pick<ListRequest, 'list'>, CandidateColumns> {
  return {
    kind: 'source',
    name: 'given-pins',
    policy: 'required',
    run: ({ list }) =>
      toCandidates(
        list,
        Float32Array.from(list, (_, place) => 1 - place / list.length),
      ),
  }
}
