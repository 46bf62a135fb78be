import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

type RowsErrorCode = 'ROWS_UNREADABLE' | 'ROWS_EMPTY' | 'ROWS_CORRUPT' | 'ROWS_MISMATCHED'

/** A file of rows cannot be trained on or evaluated with. */
export class RowsError extends CodedError<RowsErrorCode> {
  constructor(code: RowsErrorCode, message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
