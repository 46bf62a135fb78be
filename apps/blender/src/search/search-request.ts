import { bytesOf } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import type { SearchByImageRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { idProblem } from '@freshet/domain/ids'
import { unservedRequest, type FeedRequest, type RequestBounds } from '../request.ts'

/** The most numbers that an embedding may have. */
const maxWidth = 4_096

/** A checked request to search by a picture. */
export interface SearchRequest extends FeedRequest {
  /** Little-endian float32; empty: `imageOfPinId` is given. */
  readonly imageEmbedding: Uint8Array
  /** Empty: `imageEmbedding` is given. */
  readonly imageOfPinId: string
}

/** Checks a request to search by a picture. Throws CALL_INVALID_ARGUMENT, naming the field. The candidate service checks the width. */
export function searchRequest(message: SearchByImageRequest, bounds: RequestBounds): SearchRequest {
  const { embedding, pinId } = message
  if (embedding.length === 0 && pinId === '') throw invalid('embedding', 'is empty; give an embedding or a pin_id')
  if (embedding.length > 0 && pinId !== '') throw invalid('pin_id', 'is given beside an embedding; give one of them')
  const problem = pinId === '' ? null : idProblem(pinId)
  if (problem !== null) throw invalid('pin_id', problem)
  if (embedding.length > maxWidth)
    throw invalid('embedding', `has ${embedding.length} numbers; at most ${maxWidth} are allowed`)
  const wrong = embedding.findIndex((value) => !Number.isFinite(Math.fround(value)))
  if (wrong !== -1) throw invalid(`embedding[${wrong}]`, `is ${embedding[wrong]}; give finite numbers of 32 bits`)
  if (embedding.length > 0 && embedding.every((value) => value === 0))
    throw invalid('embedding', 'is all zeros, which have no direction')
  return {
    ...unservedRequest(message, bounds),
    imageEmbedding: bytesOf(Float32Array.from(embedding)),
    imageOfPinId: pinId,
  }
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field}: ${problem}`)
}
