/** A file or an option that an import cannot use. The message names the file, the line where there is one, what is wrong and what to do. Exit code 78. */
export class ImportError extends Error {
  readonly code = 'IMPORT_INVALID'
  constructor(place: string, problem: string, options?: ErrorOptions) {
    super(place === '' ? problem : `${place}: ${problem}`, options)
    this.name = 'ImportError'
  }
}
