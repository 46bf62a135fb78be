import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** The exit codes of a process, taken from sysexits.h where it has one. */
export const exitCodes = {
  /** Stopped on request; nothing was lost. */
  stopped: 0,
  /** Something that the process needs to start is missing or in use: a port, a data folder, the log, the store. */
  unavailable: 69,
  /** A defect: no code handled an error. */
  defect: 70,
  /** The process did not stop within `stop.timeoutMs`. */
  forced: 75,
  /** The configuration is wrong. */
  config: 78,
} as const

/** Every error that can end a process while it starts, runs or stops. */
export const serviceErrorCatalogue = {
  CONFIG_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: exitCodes.config,
    meaning: 'The configuration has problems. The message lists all of them.',
  },
  PORT_IN_USE: {
    fault: 'client',
    retryable: false,
    exitCode: exitCodes.unavailable,
    meaning: 'Another process listens on this port.',
  },
  LISTEN_FAILED: {
    fault: 'client',
    retryable: false,
    exitCode: exitCodes.unavailable,
    meaning: 'The process cannot listen on this address.',
  },
  TLS_FILES_UNUSABLE: {
    fault: 'client',
    retryable: true,
    exitCode: exitCodes.config,
    meaning:
      'The changed files of `tls` cannot be used, or do not go together. The process keeps the certificates that it has, and looks again. The message names the setting.',
  },
  LOG_LEVEL_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'A request to `/v1/log-level` has no valid level or time. The message says what to send.',
  },
  TRACES_LOST: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The collector at `tracing.endpoint` cannot be reached or does not take spans. The spans are lost; nothing else is.',
  },
  START_FAILED: {
    fault: 'dependency',
    retryable: true,
    exitCode: exitCodes.unavailable,
    meaning: 'Something that the service needs at start is not available.',
  },
  STOP_FORCED: {
    fault: 'server',
    retryable: false,
    exitCode: exitCodes.forced,
    meaning: 'The service did not stop within `stop.timeoutMs`. The message names what was still open.',
  },
  UNCAUGHT: {
    fault: 'server',
    retryable: false,
    exitCode: exitCodes.defect,
    meaning: 'A defect: no code handled this error.',
  },
} as const satisfies ErrorCatalogue

export type ServiceErrorCode = keyof typeof serviceErrorCatalogue

/** An error of `serviceErrorCatalogue`. Its message is for people and needs no context. */
export class ServiceError extends CodedError<ServiceErrorCode> {
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(code, serviceErrorCatalogue[code], message, options)
  }
}

/** A configuration that cannot be used; `problems` lists everything that is wrong with it, one sentence each. */
export class ConfigError extends ServiceError {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super(
      'CONFIG_INVALID',
      `the configuration has ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
    this.problems = problems
  }
}

/** Converts an error from `listen` to PORT_IN_USE or LISTEN_FAILED, with the address in its message. */
export function listenError(error: unknown, host: string, port: number): ServiceError {
  const text = error instanceof Error ? error.message : String(error)
  const code = (error as { code?: unknown }).code
  if (code === 'EADDRINUSE' || text.includes('EADDRINUSE')) {
    return new ServiceError('PORT_IN_USE', `port ${port} on ${host} is in use by another process`, { cause: error })
  }
  return new ServiceError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${text}`, { cause: error })
}

/** The exit code and the line of text for an error that ends a process. Errors of a catalogue are expected; others are defects. */
export function endingOf(error: unknown): {
  readonly exitCode: number
  readonly line: string
  readonly expected: boolean
} {
  if (error instanceof CodedError) {
    const line = `${error.code}: ${error.message}`
    return { exitCode: error.exitCode ?? exitCodes.unavailable, line, expected: error.code !== 'UNCAUGHT' }
  }
  if (error instanceof Error) {
    const { code } = error as { code?: unknown }
    const line = `${typeof code === 'string' ? code : error.name}: ${error.message}`
    return { exitCode: exitCodes.defect, line, expected: false }
  }
  return { exitCode: exitCodes.defect, line: String(error), expected: false }
}
