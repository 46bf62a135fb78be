import { redisOptions } from '@freshet/adapters/redis/connect'
import { bucketTimeoutMs, createRedisBuckets } from '@freshet/adapters/redis/shared-buckets'
import { newSecret } from '@freshet/adapters/system/secret'
import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import { createRateLimits, type RateLimits } from '@freshet/service/rate-limits'
import { limitConfigOf } from '@freshet/service/rate-settings'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'
import type { Config } from './config.ts'

/** The limits of the rates of events. Replicas share their counts if Redis is configured. */
export function rateLimitsOf({
  config,
  use,
  ...options
}: {
  readonly name: string
  readonly config: Pick<Config, 'limits' | 'redis'>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly report: Report
  readonly use: (component: Component) => void
}): RateLimits {
  const { limits, redis } = config
  const isShared = redis.url !== null || redis.clusterNodes.length > 0
  const buckets = isShared ? createRedisBuckets({ ...redisOptions(redis), commandTimeoutMs: bucketTimeoutMs }) : null
  if (buckets !== null) use({ name: 'rate limits', close: () => buckets.close() })
  return createRateLimits({ ...options, config: limitConfigOf(limits), shared: buckets, ownSecret: newSecret() })
}
