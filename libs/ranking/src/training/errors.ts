import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

type Code =
  | 'TRAINING_WINDOW_EMPTY'
  | 'TRAINING_LABEL_ABSENT'
  | 'TRAINING_ONE_CLASS'
  | 'TRAINING_ROWS_LEFT_OUT'
  | 'TRAINING_DIVERGED'

/** A model cannot be trained from these rows. Codes: `rankingErrorCatalogue`. */
export class TrainingError extends CodedError<Code> {
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(code, rankingErrorCatalogue[code], message, options)
  }
}
