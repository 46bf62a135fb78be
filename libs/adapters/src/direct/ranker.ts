import type { Attribution, Ranker } from '@freshet/contracts/ports/calls'
import { boundedCall } from '../shared/bounded-call.ts'

/** A ranker in the same process: deadlines, cancellation and errors as over the network. */
export function createDirectRanker(ranker: Ranker & Partial<Attribution>): Ranker & Partial<Attribution> {
  const { attribute } = ranker
  return {
    rank: (request, options) =>
      boundedCall(options, (bounded) => ranker.rank(request, { ...bounded, readsRows: true })),
    ...(attribute && {
      attribute: (request, options) => boundedCall(options, (bounded) => attribute(request, bounded)),
    }),
  }
}
