import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { rateText, type RateLimits, type RateRefused } from '@freshet/service/rate-limits'
import type { IngestCall } from './append.ts'

/** The number of events of each user. */
export function costsOf(events: readonly unknown[]): ReadonlyMap<string, number> {
  const costs = new Map<string, number>()
  for (const event of events) {
    const userId = (event as { readonly userId?: unknown } | null)?.userId
    if (typeof userId === 'string') costs.set(userId, (costs.get(userId) ?? 0) + 1)
  }
  return costs
}

/** The problem of a request that comes too fast; null: it does not. A batch costs as many units as it has events. */
export function limitedBy(
  rates: RateLimits | undefined,
  events: number,
  costs: ReadonlyMap<string, number>,
  call: IngestCall | undefined,
): Promise<IngestProblem | null> | IngestProblem | null {
  if (rates === undefined || call?.source === undefined) return null
  const refused = rates.take(call.source, events, costs)
  return refused instanceof Promise ? refused.then(problemOfRate) : problemOfRate(refused)
}

function problemOfRate(refused: RateRefused | null): IngestProblem | null {
  if (refused === null) return null
  const { retryAfterMs } = refused
  const problem = problemAt(
    '',
    'the request',
    retryAfterMs === null ? 'BATCH_TOO_LARGE' : 'RATE_LIMITED',
    rateText(refused),
  )
  return { ...problem, field: '', ...(retryAfterMs !== null && { retryAfterMs }) }
}
