import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error that the console answers with, besides those of access and of the calls. */
export const consoleErrorCatalogue = {
  CONSOLE_SERVICE_DOWN: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The console cannot reach a service. The field `service` of the error names it.',
  },
  CONSOLE_SERVICE_SLOW: {
    fault: 'dependency',
    retryable: true,
    meaning: 'A service did not answer the console within `timeoutMs`. The field `service` of the error names it.',
  },
  CONSOLE_SERVICE_UNKNOWN: {
    fault: 'client',
    retryable: false,
    meaning: 'The console was started without an address of this service.',
  },
  CONSOLE_PATH_UNKNOWN: { fault: 'client', retryable: false, meaning: 'The console has nothing at this path.' },
  CONSOLE_BODY_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    meaning: 'A request is larger than `maxBodyBytes` of the console.',
  },
  CONSOLE_NOT_HERE: {
    fault: 'client',
    retryable: false,
    meaning: 'Only the catalogue that ships can do this: drawing a picture, embedding a crop, searching by words.',
  },
} as const satisfies ErrorCatalogue

export type ConsoleErrorCode = keyof typeof consoleErrorCatalogue

const statuses: Readonly<Record<ConsoleErrorCode, number>> = {
  CONSOLE_SERVICE_DOWN: 502,
  CONSOLE_SERVICE_SLOW: 504,
  CONSOLE_SERVICE_UNKNOWN: 404,
  CONSOLE_PATH_UNKNOWN: 404,
  CONSOLE_BODY_TOO_LARGE: 413,
  CONSOLE_NOT_HERE: 404,
}

/** An error of `consoleErrorCatalogue`, with the status of its answer and the service that it is about. */
export class ConsoleError extends CodedError<ConsoleErrorCode> {
  readonly httpStatus: number
  /** Empty: no service in particular. */
  readonly service: string
  constructor(
    code: ConsoleErrorCode,
    message: string,
    { service = '', cause }: { service?: string; cause?: unknown } = {},
  ) {
    super(code, consoleErrorCatalogue[code], message, { cause })
    this.httpStatus = statuses[code]
    this.service = service
  }
}

/** The answer of a service that refused what the console asked in the name of a caller. */
export class UpstreamRefusal extends Error {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body: unknown) {
    super(`a service answered ${status}`)
    this.status = status
    this.body = body
  }
}

/** The body of an answer with an error. */
export interface ErrorAnswer {
  readonly error: {
    readonly code: string
    readonly field: string
    readonly message: string
    readonly retryable: boolean
    /** The service that failed; absent: none in particular. */
    readonly service?: string
  }
}

/** The body for an error of any catalogue. */
export function errorAnswer(error: {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly service?: string
}): ErrorAnswer {
  const { code, message, retryable, service = '' } = error
  return { error: { code, field: '', message, retryable, ...(service !== '' && { service }) } }
}
