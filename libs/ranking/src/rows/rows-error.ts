import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** A file of training rows that cannot be used. */
export class RowsError extends CodedError<'ROWS_DAMAGED'> {
  constructor(code: 'ROWS_DAMAGED', message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
