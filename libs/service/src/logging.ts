import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino'

/** Structured log lines: `logger.info({ partition: 3 }, 'assigned')`. */
export type Logger = PinoLogger

/** Options of a logger. */
export interface LoggerOptions {
  /** Name of the process or part. */
  readonly name: string
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where the logger writes; absent: standard error, which keeps standard output free for results. */
  readonly destination?: DestinationStream
}

/** A logger that writes one JSON object per line, with the level as a word and the time in ISO 8601. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withErrors },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
}

/** JSON.stringify writes an Error as `{}`, so this replaces errors inside the logged fields. */
function withErrors(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]): [string, unknown] => {
    if (value instanceof Error) return [key, stdSerializers.err(value)]
    const isPlain = value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
    return [key, isPlain && depth < 2 ? withErrors(value as Record<string, unknown>, depth + 1) : value]
  })
  return Object.fromEntries(entries)
}
