import type { Engagement } from '@freshet/domain/engagement'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import type { IngestConfig } from './config.ts'

const dayMs = 86_400_000

/** By how much a client's clock is behind, milliseconds (negative: ahead): when the request came minus when the client says it sent it. 0 where it didn't say, and where it is within what a network explains. */
export function clockShiftMs(sentAtMs: number | null, nowMs: number, toleratedSkewMs: number): number {
  if (sentAtMs === null) return 0
  const shiftMs = nowMs - sentAtMs
  return Math.abs(shiftMs) > toleratedSkewMs ? shiftMs : 0
}

/** The engagement with its time corrected by `shiftMs`, and, where that is still too far in the future, set to the bound; or why its time is refused. */
export function timedEngagement(
  engagement: Engagement,
  at: string,
  time: { readonly nowMs: number; readonly shiftMs: number },
  limits: Pick<IngestConfig, 'maxEventAgeDays' | 'maxFutureMs' | 'rejectFutureMs'>,
): Engagement | IngestProblem {
  const { nowMs, shiftMs } = time
  const happenedMs = engagement.occurredAtMs + shiftMs
  const corrected = shiftMs === 0 ? '' : ` (corrected by ${Math.round(shiftMs / 1000)} s for the client's clock)`
  if (happenedMs > nowMs + limits.maxFutureMs) {
    if (happenedMs > nowMs + limits.rejectFutureMs) {
      const text = `is ${hours(happenedMs - nowMs)} in the future${corrected}; give the time at which it happened`
      return problemAt(at, 'occurredAt', 'EVENT_TIME_FUTURE', text)
    }
    return { ...engagement, occurredAtMs: nowMs + limits.maxFutureMs }
  }
  const { maxEventAgeDays } = limits
  if ((maxEventAgeDays > 0 && happenedMs < nowMs - maxEventAgeDays * dayMs) || happenedMs <= 0) {
    const text = `is ${hours(nowMs - happenedMs)} ago${corrected}; at most ${maxEventAgeDays} days are taken`
    return problemAt(at, 'occurredAt', 'EVENT_TIME_PAST', text)
  }
  return shiftMs === 0 ? engagement : { ...engagement, occurredAtMs: happenedMs }
}

function hours(ms: number): string {
  const count = ms / 3_600_000
  return count < 48 ? `${Math.round(count)} hours` : `${Math.round(count / 24)} days`
}
