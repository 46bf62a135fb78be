import type { Source } from '@freshet/pipeline/stage'
import { candidatesFrom, type CandidateColumns } from '../candidates.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import { nothingServed } from '../served-set.ts'
import { retrieveRequest, retrieveStage } from '../sources/retrieve.ts'
import type { SearchRequest } from './search-request.ts'

/** Asks the candidate service for the pins with the most similar pictures. Their retrieval scores are the cosines. */
export function similarPins({
  candidates,
}: Pick<StagePorts, 'candidates'>): Source<SearchRequest & UserContext & FreshnessContext, CandidateColumns> {
  return {
    ...retrieveStage,
    run: async (request, { timeoutMs, signal }) => {
      const { imageEmbedding, imageOfPinId } = request
      const asked = {
        ...retrieveRequest(request, nothingServed),
        fillTo: 0,
        imageEmbedding,
        imageOfPinId,
        withBoards: false,
      }
      return candidatesFrom(await candidates.retrieve(asked, { timeoutMs, signal, headers: request.trace }), [], asked)
    },
  }
}
