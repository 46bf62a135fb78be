import type { Clock } from '@freshet/domain/clock'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'

/**
 * What becomes of the work that an error hit. `retried`: it is done again. `left-out`: an answer goes without it. `lost`: it
 * is not done again, and something is gone. `stopped`: nothing goes on there until somebody acts. `defect`: a fault of the code.
 */
export const errorOutcomes = ['retried', 'left-out', 'lost', 'stopped', 'defect'] as const
export type ErrorOutcome = (typeof errorOutcomes)[number]

/** Where an error happened. */
export interface ErrorPlace {
  /** The part of the process, e.g. `views`. */
  readonly part: string
  /** Absent: what the error's code says, else `retried`. */
  readonly outcome?: ErrorOutcome
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  /** How many records, events or feeds it is about. */
  readonly count?: number
}

/** The one way in which processes report errors that do not end them: one log line and a counter, with part, topic, partition and cause. */
export type Report = (error: unknown, place: ErrorPlace) => void

/** Codes of the libraries' catalogues that say by themselves what becomes of the work. */
const outcomesByCode: Readonly<Record<string, ErrorOutcome>> = {
  LOG_RECORDS_LOST: 'lost',
  LOG_REPLACED: 'stopped',
  LOG_MEMBER_REPLACED: 'stopped',
  PARTITION_HALTED: 'stopped',
  CALL_INTERNAL: 'defect',
}

const words: Readonly<Record<ErrorOutcome, string>> = {
  retried: 'failed; will be tried again',
  'left-out': 'failed; the answer goes without it',
  lost: 'lost for good',
  stopped: 'stands still until somebody acts',
  defect: 'a defect',
}

const levels = { retried: 'warn', 'left-out': 'warn', lost: 'error', stopped: 'error', defect: 'error' } as const

/** The same error at the same place is written once in this time; the next line says how many were not. */
const quietMs = 10_000
const maxPlaces = 1_000

/** A report to a log and a counter. Every error counts; of those that repeat not every one is written. */
export function createReporter({
  logger,
  metrics,
  clock,
}: {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'now'>
}): Report {
  const errors = metrics.counter('freshet_errors_total')
  const written = new Map<string, { atMs: number; unwritten: number }>()

  return (error, place) => {
    const code = codeOf(error)
    const { part, topic, partition, count } = place
    const outcome = place.outcome ?? outcomesByCode[code] ?? 'retried'
    errors.inc({ part, code, outcome }, count ?? 1)
    const key = `${part} ${topic ?? ''} ${partition ?? ''} ${code} ${outcome}`
    const nowMs = clock.now()
    const before = written.get(key)
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.unwritten++
      return
    }
    if (written.size >= maxPlaces) written.clear()
    written.set(key, { atMs: nowMs, unwritten: 0 })
    const unwritten = before?.unwritten ?? 0
    logger[levels[outcome]](
      {
        part,
        ...(topic !== undefined && { topic }),
        ...(partition !== undefined && { partition }),
        ...(count !== undefined && { count }),
        code,
        outcome,
        error: causesOf(error),
        ...(unwritten > 0 && { unwritten }),
        ...(outcome === 'defect' && error instanceof Error && { stack: error.stack }),
      },
      words[outcome],
    )
  }
}

/** A report of which nobody hears, for tests. */
export const silentReport: Report = () => undefined

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'UNKNOWN'
}

const maxCauses = 5

/** An error's message and those of what caused it, as far as they say something new. */
export function causesOf(error: unknown): string {
  const texts: string[] = []
  let cause: unknown = error
  for (let i = 0; cause !== undefined && cause !== null && i < maxCauses; i++) {
    const text = cause instanceof Error ? cause.message || cause.name : describe(cause)
    if (!texts.some((known) => known.includes(text))) texts.push(text)
    cause = (cause as { cause?: unknown }).cause
  }
  return texts.length === 0 ? 'no error was given' : texts.join(': ')
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
