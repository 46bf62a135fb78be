import type { Engagement } from '@freshet/domain/engagement'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import type { IngestConfig } from './config.ts'

const dayMs = 86_400_000

/** What a request says about its client's clock. Times are of that clock. */
export interface ClientClock {
  /** When the client sent the request; null: it didn't say. */
  readonly sentAtMs: number | null
  /** By how much the clock is behind ours, as answers have proven to the client (negative: ahead); 0: it has no proof. */
  readonly offsetMs: number
}

/**
 * What to add to a client's times, milliseconds. Only what must be an error of the clock is corrected: what the client
 * knows from answers, and a time of sending that is later than the arrival by more than `toleratedSkewMs`. A time of
 * sending long before the arrival proves nothing: the network may have been slow. So the network never moves events of a
 * client against each other, unless its clock is ahead and it pays no attention to answers.
 */
export function clockShiftMs({ sentAtMs, offsetMs }: ClientClock, nowMs: number, toleratedSkewMs: number): number {
  if (sentAtMs === null) return offsetMs
  const aheadMs = sentAtMs + offsetMs - nowMs
  return aheadMs > toleratedSkewMs ? offsetMs - aheadMs : offsetMs
}

/** When a request arrived, and what to add to its times, milliseconds. */
export interface RequestTime {
  readonly nowMs: number
  readonly shiftMs: number
}

type TimeLimits = Pick<IngestConfig, 'maxEventAgeDays' | 'maxFutureMs' | 'rejectFutureMs'>

/** The engagement with its time corrected, or why its time is refused. */
export function timedEngagement(
  engagement: Engagement,
  at: string,
  time: RequestTime,
  limits: TimeLimits,
): Engagement | IngestProblem {
  const taken = takenTime(engagement.occurredAtMs, at, time, limits)
  if (typeof taken !== 'number') return taken
  return taken === engagement.occurredAtMs ? engagement : { ...engagement, occurredAtMs: taken }
}

/** A time corrected by `shiftMs`, and, where that is still too far in the future, set to the bound; or why it is refused. */
export function takenTime(
  occurredAtMs: number,
  at: string,
  { nowMs, shiftMs }: RequestTime,
  limits: TimeLimits,
): number | IngestProblem {
  const happenedMs = occurredAtMs + shiftMs
  const corrected = shiftMs === 0 ? '' : ` (corrected by ${Math.round(shiftMs / 1000)} s for the client's clock)`
  if (happenedMs > nowMs + limits.maxFutureMs) {
    if (happenedMs <= nowMs + limits.rejectFutureMs) return nowMs + limits.maxFutureMs
    const text = `is ${hours(happenedMs - nowMs)} in the future${corrected}; give the time at which it happened`
    return problemAt(at, 'occurredAt', 'EVENT_TIME_FUTURE', text)
  }
  const { maxEventAgeDays } = limits
  if ((maxEventAgeDays > 0 && happenedMs < nowMs - maxEventAgeDays * dayMs) || happenedMs <= 0) {
    const taken =
      maxEventAgeDays > 0
        ? `at most ${maxEventAgeDays} days are taken (ingest.maxEventAgeDays; 0: any age)`
        : 'give a time after 1970-01-01'
    const text = `is ${hours(nowMs - happenedMs)} ago${corrected}; ${taken}`
    return problemAt(at, 'occurredAt', 'EVENT_TIME_PAST', text)
  }
  return happenedMs
}

function hours(ms: number): string {
  const count = ms / 3_600_000
  return count < 48 ? `${Math.round(count)} hours` : `${Math.round(count / 24)} days`
}
