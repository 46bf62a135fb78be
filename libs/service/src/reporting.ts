import type { Clock } from '@freshet/domain/clock'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'

/**
 * The consequence of an error for the work at hand. `retried`: the process tries again. `left-out`: the answer does without
 * it. `lost`: the process does not try again, and something is lost. `stopped`: this part waits until an operator acts.
 * `defect`: the code is wrong.
 */
export const errorOutcomes = ['retried', 'left-out', 'lost', 'stopped', 'defect'] as const
export type ErrorOutcome = (typeof errorOutcomes)[number]

/** Where an error happened. */
export interface ErrorPlace {
  /** The part of the process, e.g. `views`. */
  readonly part: string
  /** Absent: the outcome that belongs to the code of the error, else `retried`. */
  readonly outcome?: ErrorOutcome
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  /** The number of affected records, events or feeds. */
  readonly count?: number
}

/** The one way in which processes report errors that do not end them: one log line and a counter, with part, topic, partition and cause. */
export type Report = (error: unknown, place: ErrorPlace) => void

/** Codes that imply an outcome. */
const outcomesByCode: Readonly<Record<string, ErrorOutcome>> = {
  LOG_RECORDS_LOST: 'lost',
  LOG_REPLACED: 'stopped',
  LOG_MEMBER_REPLACED: 'stopped',
  PARTITION_HALTED: 'stopped',
  CALL_INTERNAL: 'defect',
}

const words: Readonly<Record<ErrorOutcome, string>> = {
  retried: 'failed; retrying',
  'left-out': 'failed; the answer does without it',
  lost: 'failed; data is lost',
  stopped: 'stopped until an operator acts',
  defect: 'failed because of a defect',
}

const levels = { retried: 'warn', 'left-out': 'warn', lost: 'error', stopped: 'error', defect: 'error' } as const

/** The reporter logs the same error at the same place once in this time. The next line states how many it did not log. */
const quietMs = 10_000
const maxPlaces = 1_000

/** Reports errors to a log and a counter. It counts every error, but does not log each repetition. */
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

/** A report that discards everything, for tests. */
export const silentReport: Report = () => undefined

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'UNKNOWN'
}

const maxCauses = 5

/** The messages of an error and its causes, without repetitions. */
export function causesOf(error: unknown): string {
  const texts: string[] = []
  let cause: unknown = error
  for (let i = 0; cause !== undefined && cause !== null && i < maxCauses; i++) {
    const text = cause instanceof Error ? cause.message || cause.name : describe(cause)
    if (!texts.some((known) => known.includes(text))) texts.push(text)
    cause = (cause as { cause?: unknown }).cause
  }
  return texts.length === 0 ? 'unknown error' : texts.join(': ')
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
