import { redisOptions } from '@freshet/adapters/redis/connect'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import type { RedisConfig } from '@freshet/adapters/settings'
import { createFoldWatch } from '@freshet/contracts/fold-watch'
import { createLogWatch, type LogWatch } from '@freshet/contracts/log-watch'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { Component } from '@freshet/service/service'

/** The identity and the state of the logs that ingest appends to. */
export interface WatchedLogs {
  readonly watch: LogWatch
  /** See `IngestOptions.foldProblem`; absent if Redis is not configured. */
  readonly foldProblem?: () => string | null
  readonly component: Component
}

/** Tokens name their log, so ingest must notice a replaced log before it has issued many tokens. */
const everyMs = 2_000

/** Reads the id of the log every two seconds and, if Redis is configured, checks whether state is folded from this log. */
export function watchLogs({
  log,
  clock,
  redis,
  onError,
}: {
  readonly log: EventLog
  readonly clock: Clock
  readonly redis: RedisConfig
  readonly onError: (error: unknown) => void
}): WatchedLogs {
  const ending = new AbortController()
  const watch = createLogWatch({ log, clock, topics: ['engagements.v1', 'pins.v1'], everyMs })
  void watch.run(ending.signal)
  const given = redis.url !== null || redis.clusterNodes.length > 0
  const store = given ? createRedisStateStore(redisOptions(redis)) : null
  const folds = store === null ? null : createFoldWatch({ log, store, clock })
  void folds?.run(ending.signal, onError)
  return {
    watch,
    ...(folds !== null && { foldProblem: folds.problem }),
    component: {
      name: 'log',
      notReady: watch.silent,
      warning: () => folds?.problem() ?? null,
      async close() {
        ending.abort()
        await store?.close()
      },
    },
  }
}
