import type { Engagement } from '@freshet/domain/engagement'
import { kindOf, type FieldFault } from '@freshet/contracts/json/fields'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import type { IngestConfig } from './config.ts'

const dayMs = 86_400_000

/** The clock of a client, as its request describes it. */
export interface ClientClock {
  /** When the client sent the request, by its own clock, milliseconds since the epoch; null: the request does not say. */
  readonly sentAtMs: number | null
  /** How far the clock is behind ours, milliseconds (negative: ahead). The client computes it from `receivedAt` of earlier answers; 0: unknown. */
  readonly offsetMs: number
}

/** A hundred years: longer than the time since the epoch. */
const maxClockOffsetMs = 100 * 365.25 * dayMs

/** The bounds of the offset of a client's clock, as JSON Schema. */
export const clockOffsetRule = { minimum: -maxClockOffsetMs, maximum: maxClockOffsetMs } as const

/** Why a value is not the offset of a client's clock; null: it is one. */
export function clockOffsetFault(offset: unknown): FieldFault | null {
  if (typeof offset === 'number' && Number.isInteger(offset) && Math.abs(offset) <= maxClockOffsetMs) return null
  const text = `is ${kindOf(offset)}; give a whole number of milliseconds: how far the client's clock is behind`
  return { code: typeof offset === 'number' ? 'EVENT_FIELD_VALUE' : 'EVENT_FIELD_TYPE', text }
}

/**
 * The correction to add to a client's times, milliseconds. It corrects only certain errors of the clock: the offset that
 * the client knows from earlier answers, and a sending time that is later than the arrival by more than `toleratedSkewMs`.
 * An early sending time proves nothing, because the network may have been slow. So a slow network never changes the
 * order of a client's events, unless the clock is ahead and the client does not send its offset.
 */
export function clockShiftMs({ sentAtMs, offsetMs }: ClientClock, nowMs: number, toleratedSkewMs: number): number {
  if (sentAtMs === null) return offsetMs
  const aheadMs = sentAtMs + offsetMs - nowMs
  return aheadMs > toleratedSkewMs ? offsetMs - aheadMs : offsetMs
}

/** When a request arrived, and the correction to add to its times. Both in milliseconds. */
export interface RequestTime {
  readonly nowMs: number
  readonly shiftMs: number
}

type TimeLimits = Pick<IngestConfig, 'maxEventAgeDays' | 'maxFutureMs' | 'rejectFutureMs'>

/** The engagement with its corrected time, or the problem of its time. */
export function correctEngagement(
  engagement: Engagement,
  at: string,
  time: RequestTime,
  limits: TimeLimits,
): Engagement | IngestProblem {
  const corrected = correctTime(engagement.occurredAtMs, at, time, limits)
  if (typeof corrected !== 'number') return corrected
  return corrected === engagement.occurredAtMs ? engagement : { ...engagement, occurredAtMs: corrected }
}

/** The time plus `shiftMs`, at most `maxFutureMs` in the future; or the problem of a time that ingest rejects. */
export function correctTime(
  occurredAtMs: number,
  at: string,
  { nowMs, shiftMs }: RequestTime,
  limits: TimeLimits,
): number | IngestProblem {
  const happenedMs = occurredAtMs + shiftMs
  if (happenedMs > nowMs + limits.maxFutureMs) {
    if (happenedMs <= nowMs + limits.rejectFutureMs) return nowMs + limits.maxFutureMs
    const text = `is ${hours(happenedMs - nowMs)} in the future${correctionOf(shiftMs)}; give the time of the event`
    return problemAt(at, 'occurredAt', 'EVENT_TIME_FUTURE', text)
  }
  const { maxEventAgeDays } = limits
  if ((maxEventAgeDays > 0 && happenedMs < nowMs - maxEventAgeDays * dayMs) || happenedMs <= 0) {
    const rule =
      maxEventAgeDays > 0
        ? `ingest accepts at most ${maxEventAgeDays} days (ingest.maxEventAgeDays; 0: any age)`
        : 'give a time after 1970-01-01'
    const text = `is ${hours(nowMs - happenedMs)} ago${correctionOf(shiftMs)}; ${rule}`
    return problemAt(at, 'occurredAt', 'EVENT_TIME_PAST', text)
  }
  return happenedMs
}

function correctionOf(shiftMs: number): string {
  return shiftMs === 0 ? '' : ` (corrected by ${Math.round(shiftMs / 1000)} s for the client's clock)`
}

function hours(ms: number): string {
  const count = ms / 3_600_000
  return count < 48 ? `${Math.round(count)} hours` : `${Math.round(count / 24)} days`
}
