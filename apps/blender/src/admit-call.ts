import { ContractError, RateLimitedError } from '@freshet/contracts/errors'
import { rateText, type CallSource, type RateLimits } from '@freshet/service/rate-limits'

/** Counts a call. Throws CALL_RATE_LIMITED, which says when to call again, if its key, user or address calls too fast. */
export async function admitCall(rates: RateLimits | undefined, source: CallSource, request: unknown): Promise<void> {
  if (rates === undefined) return
  const { userId } = request as { readonly userId?: unknown }
  const users = typeof userId === 'string' && userId !== '' ? new Map([[userId, 1]]) : new Map<string, number>()
  const refused = await rates.take(source, 1, users)
  if (refused === null) return
  const text = `the request ${rateText(refused)}`
  if (refused.retryAfterMs === null) throw new ContractError('CALL_INVALID_ARGUMENT', text)
  throw new RateLimitedError(text, refused.retryAfterMs)
}
