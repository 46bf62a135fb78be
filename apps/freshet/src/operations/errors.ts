interface OperationErrorKind {
  /** With what the process ends. */
  readonly exitCode: number
  readonly meaning: string
}

/** Every error that an operator's command can end with, besides those of the ports. */
export const operationErrorCatalogue = {
  TARGET_UNREACHABLE: { exitCode: 69, meaning: 'The event-ingest given does not answer.' },
  EVENTS_REJECTED: { exitCode: 1, meaning: 'Some events of a recording were rejected; all others were taken.' },
  LETTER_MISSING: { exitCode: 1, meaning: 'No dead letter lies at this place.' },
  REBUILD_DIFFERS: { exitCode: 1, meaning: 'The new generation is not the old one; nothing was switched.' },
  RESUME_RACED: { exitCode: 1, meaning: 'Somebody else let halted partitions go on at the same moment.' },
  INTERRUPTED: { exitCode: 130, meaning: 'A signal ended the command.' },
} as const satisfies Record<string, OperationErrorKind>

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
