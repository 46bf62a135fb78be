import type { Ranker } from '@freshet/contracts/ports/calls'
import { boundedCall } from '../shared/bounded-call.ts'

/** A ranker in the same process: deadlines, cancellation and errors as over the network. */
export function createDirectRanker(ranker: Ranker): Ranker {
  return { rank: (request, options) => boundedCall(options, (bounded) => ranker.rank(request, bounded)) }
}
