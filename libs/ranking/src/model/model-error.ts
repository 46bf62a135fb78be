import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** A model was built but cannot serve. The previous model continues to serve. Codes: `rankingErrorCatalogue`. */
export class ModelError extends CodedError<'MODEL_MISMATCHED' | 'MODEL_BROKEN'> {
  constructor(code: ModelError['code'], message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
