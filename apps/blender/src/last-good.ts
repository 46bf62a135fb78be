import { bytesOf, float32Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { encodeMessage } from '@freshet/contracts/bytes/wire'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { CandidateColumns } from './candidates.ts'
import { pickBits, pickFloats, pickTexts } from './pick.ts'

/** A feed to fall back on: best first. */
export interface LastGood {
  readonly pinIds: readonly string[]
  readonly scores: Float32Array
  readonly sourceNames: readonly string[]
  readonly foundBy: Uint32Array
}

/** Keeps the first `max` rows of an order as a feed to fall back on. */
export function toLastGood(columns: CandidateColumns, scores: Float32Array, rows: Int32Array, max: number): LastGood {
  const kept = rows.subarray(0, max)
  return {
    pinIds: pickTexts(columns.pinIds, kept),
    scores: pickFloats(scores, kept),
    sourceNames: columns.sourceNames,
    foundBy: pickBits(columns.foundBy, kept),
  }
}

const noFeed = FeedServed.fromPartial({})

/** Encodes a feed for the state store. */
export function encodeLastGood({ pinIds, scores, sourceNames, foundBy }: LastGood): Uint8Array {
  return encodeMessage(FeedServed, {
    ...noFeed,
    pinIds: pinIds as string[],
    utilities: bytesOf(scores),
    sources: sourceNames as string[],
    foundBy: bytesOf(foundBy),
  })
}

/** Decodes a feed from the state store; null: the lengths of its columns differ. */
export function decodeLastGood(bytes: Uint8Array): LastGood | null {
  const { pinIds, utilities, sources, foundBy } = FeedServed.decode(bytes)
  if (utilities.byteLength !== pinIds.length * 4 || foundBy.byteLength !== pinIds.length * 4) return null
  return { pinIds, scores: float32Column(utilities), sourceNames: sources, foundBy: uint32Column(foundBy) }
}
