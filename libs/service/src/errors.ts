/** What a process's exit code says. Numbers of sysexits.h where there is one. */
export const exitCodes = {
  /** Stopped as asked, nothing lost. */
  stopped: 0,
  /** Something it needs at start is missing or taken: a port, a data folder, the log, the store. */
  unavailable: 69,
  /** A defect: an error that nothing handled. */
  defect: 70,
  /** It was told to stop and did not end within its bound. */
  forced: 75,
  /** The configuration is wrong. */
  config: 78,
} as const

interface ServiceErrorKind {
  readonly fault: 'client' | 'server' | 'dependency'
  readonly retryable: boolean
  readonly exitCode: number
  readonly meaning: string
}

/** Every error that starting, running and stopping a process can end with. */
export const serviceErrorCatalogue = {
  CONFIG_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: exitCodes.config,
    meaning: 'The configuration has problems; all of them are listed.',
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
    meaning: 'The address cannot be listened on.',
  },
  START_FAILED: {
    fault: 'dependency',
    retryable: true,
    exitCode: exitCodes.unavailable,
    meaning: 'Something that the service needs at start did not come up.',
  },
  STOP_FORCED: {
    fault: 'server',
    retryable: false,
    exitCode: exitCodes.forced,
    meaning: 'The service did not stop within its bound; the message names what was still open.',
  },
  UNCAUGHT: {
    fault: 'server',
    retryable: false,
    exitCode: exitCodes.defect,
    meaning: 'A defect: an error that nothing handled.',
  },
} as const satisfies Record<string, ServiceErrorKind>

export type ServiceErrorCode = keyof typeof serviceErrorCatalogue

/** An error of `serviceErrorCatalogue`; its message is for people and stands on its own. */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServiceError'
    this.code = code
  }

  /** With what the process ends when this error ends it. */
  get exitCode(): number {
    return serviceErrorCatalogue[this.code].exitCode
  }
}

/** Problems of a configuration, all at once. */
export class ConfigError extends ServiceError {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super(
      'CONFIG_INVALID',
      `the configuration has ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** What listening threw, as PORT_IN_USE or LISTEN_FAILED with the address in its message. */
export function listenError(error: unknown, host: string, port: number): ServiceError {
  const text = error instanceof Error ? error.message : String(error)
  const code = (error as { code?: unknown }).code
  if (code === 'EADDRINUSE' || text.includes('EADDRINUSE')) {
    return new ServiceError('PORT_IN_USE', `port ${port} on ${host} is in use by another process`, { cause: error })
  }
  return new ServiceError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${text}`, { cause: error })
}

/** The exit code and the one line with which an error ends a process. Errors that carry a code of some catalogue are expected ones; others are defects. */
export function endingOf(error: unknown): {
  readonly exitCode: number
  readonly line: string
  readonly expected: boolean
} {
  if (error instanceof ServiceError) {
    return { exitCode: error.exitCode, line: `${error.code}: ${error.message}`, expected: error.code !== 'UNCAUGHT' }
  }
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code
    const line = typeof code === 'string' ? `${code}: ${error.message}` : `${error.name}: ${error.message}`
    // Errors of the libraries' catalogues say whose fault they are; nothing else does.
    const expected = typeof (error as { fault?: unknown }).fault === 'string'
    return { exitCode: expected ? exitCodes.unavailable : exitCodes.defect, line, expected }
  }
  return { exitCode: exitCodes.defect, line: String(error), expected: false }
}
