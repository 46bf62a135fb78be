import { float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import type { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { asId, idProblem, type PinId } from '@freshet/domain/ids'
import { ImageQuestionError } from '@freshet/retrieval/errors'
import type { ImageQuestion } from '@freshet/retrieval/question'

/** The picture that a request searches with; null: an ordinary request. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function parseImage({ imageEmbedding, imageOfPinId }: RetrieveRequest): ImageQuestion | null {
  if (imageOfPinId !== '') {
    const problem = idProblem(imageOfPinId)
    if (problem !== null) throw invalid('image_of_pin_id', problem)
    return { pinId: asId<PinId>(imageOfPinId) }
  }
  if (imageEmbedding.byteLength === 0) return null
  if (imageEmbedding.byteLength % 4 !== 0)
    throw invalid('image_embedding', `has ${imageEmbedding.byteLength} bytes, which is not a multiple of 4`)
  return { embedding: float32Column(imageEmbedding) }
}

/** The error for the caller if its picture cannot be searched with; else the error itself. */
export function imageError(error: unknown, { imageOfPinId }: RetrieveRequest): unknown {
  if (!(error instanceof ImageQuestionError)) return error
  return invalid(imageOfPinId === '' ? 'image_embedding' : 'image_of_pin_id', error.message, error)
}

function invalid(field: string, problem: string, cause?: Error): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field} ${problem}`, { cause })
}
