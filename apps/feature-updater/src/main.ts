import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { runService } from '@freshet/service/lifecycle'
import { createProgressWatchdog } from '@freshet/service/watchdog'
import { processSchema } from './config.ts'
import { countingObserver, observe } from './observe.ts'
import { createUpdater } from './updater.ts'

await runService({
  name: 'feature-updater',
  description: 'Folds engagements into user state and, re-keyed, into pin state: each exactly once.',
  schema: processSchema,
  async start({ name, config, logger, metrics, use }) {
    const clock = createSystemClock()
    const log = createKafkaEventLog({ ...config.kafka, clientId: name, clock })
    use({ name: 'log', close: () => log.close() })
    const { url, ...redis } = config.redis
    const store = createRedisStateStore({ ...redis, ...(url === null ? {} : { url }) })
    use({ name: 'store', close: () => store.close() })
    const eviction = await store.evictionProblem()
    const canarySeconds = metrics.histogram('freshet_updater_canary_seconds')
    const updater = createUpdater({
      log,
      store,
      clock,
      config,
      observer: countingObserver(metrics),
      onCanary: (stage, ms) => canarySeconds.observe({ stage }, ms / 1000),
      onError: (err) => logger.warn({ err }, 'will be tried again'),
    })
    const watchdog = createProgressWatchdog({
      clock,
      lag: updater.lag,
      done: () => updater.stats().batches,
      stalledAfterMs: config.updater.stalledAfterMs,
      checkEveryMs: 5_000,
    })
    const watching = new AbortController()
    const notReady = () => eviction ?? updater.notReady()
    use({ name: 'updater', notReady, notAlive: watchdog.notAlive, drain: updater.stop })
    await updater.start()
    void watchdog.run(watching.signal)
    use({ name: 'watchdog', drain: async () => watching.abort() })
    observe(updater, metrics)
  },
})
