import type { ResilienceOptions } from './replicated-call.ts'

/** Calls that go to another replica if one cannot be reached, and never because one is slow. */
export const onlyRetries: ResilienceOptions = {
  extraShare: 0.2,
  minHedgeMs: Infinity,
  breakerFailures: 3,
  breakerOpenMs: 200,
}
