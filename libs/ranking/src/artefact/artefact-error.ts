import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** Why an artefact cannot become a model. */
export type ArtefactErrorCode =
  | 'MODEL_ARTEFACT_FOREIGN'
  | 'MODEL_ARTEFACT_NEWER'
  | 'MODEL_ARTEFACT_TRUNCATED'
  | 'MODEL_ARTEFACT_DAMAGED'
  | 'MODEL_PLAN_DIFFERS'
  | 'MODEL_WEIGHTS_MISFIT'
  | 'MODEL_TRANSFORM_UNKNOWN'

/** An artefact that cannot become a model. The model that serves continues to serve. */
export class ArtefactError extends CodedError<ArtefactErrorCode> {
  constructor(code: ArtefactErrorCode, message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
