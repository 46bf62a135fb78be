import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error of `freshet world`, except errors of its arguments. */
export const worldErrorCatalogue = {
  WORLD_PROTOCOL_BROKEN: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning:
      'The program of `freshet world` wrote a line that the protocol does not allow. The message names the line and the reason; the program was told both.',
  },
  WORLD_PROGRAM_ENDED: {
    fault: 'client',
    retryable: false,
    exitCode: 69,
    meaning: 'The program of `freshet world` could not start, or ended before it wrote `{"end":{}}`.',
  },
  WORLD_NOT_STOPPED: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'The program of `freshet world` went on for more than a virtual day after it was told to stop.',
  },
} as const satisfies ErrorCatalogue

/** The failure of a run of `freshet world`. */
export class WorldError extends CodedError<keyof typeof worldErrorCatalogue> {
  constructor(code: keyof typeof worldErrorCatalogue, message: string, options?: ErrorOptions) {
    super(code, worldErrorCatalogue[code], message, options)
  }
}
