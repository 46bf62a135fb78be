import { redisOptions } from '@freshet/adapters/redis/connect'
import { bucketTimeoutMs, createRedisBuckets } from '@freshet/adapters/redis/shared-buckets'
import { newSecret } from '@freshet/adapters/system/secret'
import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import { createRateLimits, type RateLimits } from '@freshet/service/rate-limits'
import { createRateSecret } from '@freshet/service/rate-secret'
import { limitConfigOf } from '@freshet/service/rate-settings'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'
import { createSourceTags, type SourceTags } from '@freshet/service/source-tags'
import type { Config } from './config.ts'

/** The limits of the rates of events, and the tags of addresses. Replicas share counts and tags if Redis is configured. */
export function sourcesOf({
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
}): { readonly rates: RateLimits; readonly sourceTags: SourceTags } {
  const { limits, redis } = config
  const isShared = redis.url !== null || redis.clusterNodes.length > 0
  const buckets = isShared ? createRedisBuckets({ ...redisOptions(redis), commandTimeoutMs: bucketTimeoutMs }) : null
  if (buckets !== null) use({ name: 'rate limits', close: () => buckets.close() })
  const limitConfig = limitConfigOf(limits)
  const parts = { ...options, shared: buckets, ownSecret: newSecret() }
  const secret = createRateSecret({ ...parts, configured: limitConfig.secret })
  return {
    rates: createRateLimits({ ...parts, config: limitConfig }),
    sourceTags: createSourceTags({ ...parts, ...limitConfig, secret }),
  }
}
