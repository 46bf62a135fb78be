import type { CandidateService } from '@freshet/contracts/ports/calls'
import { boundedCall } from '../shared/bounded-call.ts'

/** A candidate service in the same process: deadlines, cancellation and errors as over the network. */
export function createDirectCandidateService(service: CandidateService): CandidateService {
  return { retrieve: (request, options) => boundedCall(options, (bounded) => service.retrieve(request, bounded)) }
}
