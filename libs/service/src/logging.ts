import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino'

import { limitRepeats, type HeldBack } from './repeated-lines.ts'
import { activeTrace } from './tracing/active-trace.ts'

/** Structured log lines: `logger.info({ partition: 3 }, 'assigned')`. */
export type Logger = PinoLogger

/** Options of a logger. */
export interface LoggerOptions {
  /** Name of the process or part. */
  readonly name: string
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where the logger writes; absent: standard error, which keeps standard output free for results. */
  readonly destination?: DestinationStream
  /** So many lines with the same level, code, partition and message are written in ten seconds; then one line says how many were not. Default: 20. Fatal lines are always written. */
  readonly maxSameLines?: number
}

const sameLinesWindowMs = 10_000
const fatal = 60

/**
 * A logger that writes one JSON object per line, with the level as a word and the time in ISO 8601. Lines for a request with
 * a trace have its `trace_id` and `span_id`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { maxSameLines = 20 } = options
  let isSummary = false
  const repeats = limitRepeats({
    maxLines: maxSameLines,
    windowMs: sameLinesWindowMs,
    onHeldBack({ level, code, partition, message, count }: HeldBack) {
      isSummary = true
      const word = pino.levels.labels[level] as 'info'
      const place = { ...(code !== null && { code }), ...(partition !== null && { partition }) }
      logger[word]({ ...place, repeated: count, windowMs: sameLinesWindowMs }, message)
      isSummary = false
    },
    after: (ms, then) => void setTimeout(then, ms).unref(),
  })
  const logger: Logger = pino(
    {
      hooks: {
        logMethod(given, write, level) {
          if (level >= fatal || isSummary || repeats.admits({ level, ...identityOf(given) })) write.apply(this, given)
        },
      },
      // The timer of a summary may begin in a request that still runs.
      mixin: () => (isSummary ? {} : traceFields()),
      // `withErrors` has made it a plain object, whose class pino would name.
      serializers: { err: (error: unknown) => error },
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withErrors },
    },
    withoutSecrets(options.destination ?? pino.destination({ dest: 2, sync: true })),
  )
  return logger
}

/** What makes a line the same as another. */
function identityOf([first, second]: readonly unknown[]): Omit<HeldBack, 'level' | 'count'> {
  if (typeof first === 'string') return { code: null, partition: null, message: first }
  const { code, partition } = (first ?? {}) as Readonly<Record<string, unknown>>
  return {
    code: typeof code === 'string' ? code : null,
    partition: typeof partition === 'number' ? partition : null,
    message: typeof second === 'string' ? second : '',
  }
}

/** An object of its own for each line, because pino writes the fields of the line into it. */
function traceFields(): object {
  const trace = activeTrace()
  return trace === null ? {} : { trace_id: trace.traceId, span_id: trace.spanId }
}

/** What a credential looks like, wherever it stands in a line: keys, signed tokens, signatures and what follows the name of such a header. */
const secrets: readonly (readonly [what: RegExp, shown: string])[] = [
  [/\b(f[wsai]_[a-z2-7]{10})_[A-Za-z0-9]{8,}/g, '$1_(hidden)'],
  [/\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g, '(hidden token)'],
  [/\b(Bearer|Basic)\s+[\w~+/.=-]{8,}/gi, '$1 (hidden)'],
  [
    /((?:freshet-key|freshet-signature|authorization|cookie)\\*"?\s*[:=]\s*\\*"?)(?!\(hidden|f[wsai]_|Bearer|Basic)[^"\\,;\s]{8,}/gi,
    '$1(hidden)',
  ],
]

/** Hides credentials in every line, whoever put them there: a client's text in an error, a header, a stack. */
function withoutSecrets(destination: DestinationStream): DestinationStream {
  return {
    write(line: string) {
      destination.write(secrets.reduce((text, [what, shown]) => text.replaceAll(what, shown), line))
    },
  }
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
