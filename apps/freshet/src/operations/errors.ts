interface OperationErrorKind {
  readonly fault: 'client' | 'server' | 'dependency'
  /** Giving the same command again may succeed. */
  readonly retryable: boolean
  /** With what the process ends. */
  readonly exitCode: number
  readonly meaning: string
}

/** Every error that an operator's command can end with, besides those of the ports and of its arguments. */
export const operationErrorCatalogue = {
  TARGET_UNREACHABLE: {
    fault: 'dependency',
    retryable: true,
    exitCode: 69,
    meaning: 'The event-ingest given does not answer.',
  },
  EVENTS_REJECTED: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'Some events of a recording or an import were refused; all others were taken.',
  },
  EVENTS_NOT_APPLIED: {
    fault: 'server',
    retryable: true,
    exitCode: 1,
    meaning: 'An import was accepted, and not all of it was applied to user state.',
  },
  LETTER_MISSING: { fault: 'client', retryable: false, exitCode: 1, meaning: 'No dead letter lies at this place.' },
  REBUILD_DIFFERS: {
    fault: 'server',
    retryable: false,
    exitCode: 1,
    meaning: 'The new generation is not the old one; nothing was switched.',
  },
  RESUME_RACED: {
    fault: 'client',
    retryable: true,
    exitCode: 1,
    meaning: 'Somebody else let halted partitions go on at the same moment.',
  },
  ADOPT_RACED: {
    fault: 'client',
    retryable: true,
    exitCode: 1,
    meaning: 'Somebody else adopted a log at the same moment.',
  },
  INTERRUPTED: { fault: 'client', retryable: true, exitCode: 130, meaning: 'A signal ended the command.' },
} as const satisfies Record<string, OperationErrorKind>

/** What can be wrong with a command before it begins. Exit code 78. */
export const argumentErrorCatalogue = {
  ARGUMENT_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'An argument of a command cannot be used; the message names it and says what would do.',
  },
  RECORDING_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'A recording cannot be read; the message names file, line and field.',
  },
  IMPORT_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'A file or an option of an import cannot be used; the message says what to do.',
  },
} as const

export type OperationErrorCode = keyof typeof operationErrorCatalogue

/** How an operator's command failed; the message says what to do. */
export class OperationError extends Error {
  readonly code: OperationErrorCode
  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OperationError'
    this.code = code
  }

  get exitCode(): number {
    return operationErrorCatalogue[this.code].exitCode
  }
}
