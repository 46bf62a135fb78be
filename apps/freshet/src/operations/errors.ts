import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error of an operator's command, except errors of the ports and of its arguments. */
export const operationErrorCatalogue = {
  TARGET_UNREACHABLE: {
    fault: 'dependency',
    retryable: true,
    exitCode: 69,
    meaning: 'The given event-ingest does not answer.',
  },
  TARGET_REFUSED: {
    fault: 'client',
    retryable: false,
    exitCode: 77,
    meaning:
      'A server refused the key that the command sent, or it sent none. Give one by `--key-file` or `FRESHET_KEY`.',
  },
  EVENTS_REJECTED: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'event-ingest rejected some events of a recording or an import. It accepted all others.',
  },
  EVENTS_NOT_APPLIED: {
    fault: 'server',
    retryable: true,
    exitCode: 1,
    meaning: 'event-ingest accepted an import, but not all of its events reached user state.',
  },
  DEAD_LETTER_MISSING: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'There is no dead letter at this position.',
  },
  REBUILD_DIFFERS: {
    fault: 'server',
    retryable: false,
    exitCode: 1,
    meaning: 'The new generation differs from the old one. The command switched nothing.',
  },
  RESUME_RACED: {
    fault: 'client',
    retryable: true,
    exitCode: 1,
    meaning: 'Somebody else resumed halted partitions at the same moment.',
  },
  ADOPT_RACED: {
    fault: 'client',
    retryable: true,
    exitCode: 1,
    meaning: 'Somebody else adopted a log at the same moment.',
  },
  BACKUP_DAMAGED: {
    fault: 'dependency',
    retryable: false,
    exitCode: 1,
    meaning:
      'A backup is incomplete, or its files are not as they were written. Nothing was restored; take another backup.',
  },
  CHECK_FAILED: {
    fault: 'server',
    retryable: false,
    exitCode: 1,
    meaning: 'Log, state and models do not fit together. The message lists what, and the command that mends it.',
  },
  SPEC_UNFORMATTED: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'A ranking spec does not have its canonical text. `freshet spec format --write` gives it.',
  },
  PARITY_DIFFERS: {
    fault: 'server',
    retryable: false,
    exitCode: 1,
    meaning:
      'Computing served feeds again gave other numbers, or records of feeds are damaged. Features or models do not give the same numbers twice.',
  },
  PARITY_EMPTY: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'No served feed could be computed again: none is in the log, or their models or features are missing.',
  },
  EXPERIMENTS_EMPTY: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning:
      'The log has no feed that the command could judge: of an experiment, of utility tuning, or drawn at random.',
  },
  INTERRUPTED: { fault: 'client', retryable: true, exitCode: 130, meaning: 'A signal ended the command.' },
} as const satisfies ErrorCatalogue

/** Every error of a command's arguments and input files. */
export const argumentErrorCatalogue = {
  ARGUMENT_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'An argument of a command cannot be used. The message names it and says what is allowed.',
  },
  RECORDING_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'A recording cannot be read. The message names the file, the line and the field.',
  },
  IMPORT_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'A file or an option of an import cannot be used. The message says what to do.',
  },
} as const satisfies ErrorCatalogue

export type OperationErrorCode = keyof typeof operationErrorCatalogue

/** The failure of an operator's command. The message says what to do. */
export class OperationError extends CodedError<OperationErrorCode> {
  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(code, operationErrorCatalogue[code], message, options)
  }
}
