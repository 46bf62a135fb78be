import { CodedError } from '@freshet/domain/coded-error'
import { argumentErrorCatalogue } from '../operations/errors.ts'

/** A file or an option that an import cannot use. The message names the file, the line where there is one, the problem and the fix. */
export class ImportError extends CodedError<'IMPORT_INVALID'> {
  constructor(place: string, problem: string, options?: ErrorOptions) {
    const { IMPORT_INVALID } = argumentErrorCatalogue
    super('IMPORT_INVALID', IMPORT_INVALID, place === '' ? problem : `${place}: ${problem}`, options)
  }
}
