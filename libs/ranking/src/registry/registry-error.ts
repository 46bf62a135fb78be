import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

type RegistryErrorCode = 'MODEL_UNKNOWN' | 'MODEL_TRANSITION_REFUSED' | 'MODEL_ROLL_BACK_IMPOSSIBLE'

/** A change of the registry that is not allowed. Nothing changed. */
export class RegistryError extends CodedError<RegistryErrorCode> {
  constructor(code: RegistryErrorCode, message: string) {
    super(code, rankingErrorCatalogue[code], message)
  }
}
