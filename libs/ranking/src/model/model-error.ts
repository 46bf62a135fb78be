import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** A model that was built but cannot serve; the one before it serves on. Codes: `rankingErrorCatalogue`. */
export class ModelError extends CodedError<'MODEL_MISMATCHED' | 'MODEL_BROKEN'> {
  constructor(code: ModelError['code'], message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
