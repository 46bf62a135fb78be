import { createBlender } from './blender.ts'
import { createCandidateServiceClient } from '@freshet/adapters/grpc/candidate-service-client'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRankerClient } from '@freshet/adapters/grpc/ranker-client'
import { redisOptions } from '@freshet/adapters/redis/connect'
import { bucketTimeoutMs, createRedisBuckets } from '@freshet/adapters/redis/shared-buckets'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { newSecret } from '@freshet/adapters/system/secret'
import { tracedBlender, tracedCandidateService, tracedRanker } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { writingAs } from '@freshet/contracts/origin'
import { createSystemEngineClock } from '@freshet/adapters/system/engine-clock'
import { createSystemRandom } from '@freshet/adapters/system/random'
import { feedInspection, userInspection } from '@freshet/contracts/inspection/routes'
import { channelCredentials } from '@freshet/service/grpc-credentials'
import { createRateLimits } from '@freshet/service/rate-limits'
import { limitConfigOf } from '@freshet/service/rate-settings'
import { warmUp } from '@freshet/service/warm-up'
import { runService } from '@freshet/service/lifecycle'
import { createFeedObserver, observeMemory } from './feed-metrics.ts'
import { processSchema } from './config.ts'
import { serve } from './listen.ts'
import { resilienceOf } from './replica-metrics.ts'

await runService({
  name: 'blender',
  description: 'Makes feeds: gets candidates, filters them, lets the ranker score them, and records what it served.',
  schema: processSchema,
  async start({ name, version, config, logger, metrics, report, access, tracing, tls, use, inspect, readiness, fail }) {
    const clock = createSystemClock()
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    const log = tracedLog(writingAs(kafka, name, version), tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    const store = createRedisStateStore(redisOptions(config.redis))
    use({ name: 'store', notReady: () => store.unreached(), close: () => store.close() })
    const credentials = channelCredentials(tls.client())
    const candidates = createCandidateServiceClient({
      address: config.candidateService.address,
      credentials,
      roundRobin: true,
      key: access.internalKey,
      resilience: resilienceOf('candidate-service', config.candidateService, metrics),
    })
    use({ name: 'candidate-service', close: async () => candidates.close() })
    const ranker = createRankerClient({
      address: config.ranker.address,
      credentials,
      roundRobin: true,
      key: access.internalKey,
      resilience: resilienceOf('ranker', config.ranker, metrics),
    })
    use({ name: 'ranker', close: async () => ranker.close() })
    const system = { clock, engineClock: createSystemEngineClock(), random: createSystemRandom() }
    const observer = createFeedObserver(metrics, report, tracing)
    const blender = createBlender({
      store,
      log,
      candidates: tracedCandidateService(candidates, tracing, 'client'),
      ranker: tracedRanker(ranker, tracing, 'client'),
      ...system,
      config: config.blender,
      observer,
      onLogReplaced: fail,
    })
    use({
      name: 'blender',
      notReady: blender.unready,
      warning: blender.warning,
      drain: blender.flush,
      close: blender.stop,
    })
    inspect(userInspection({ log, store, clock }), feedInspection({ log }))
    await blender.start()
    observeMemory(blender, metrics)
    // Without a candidate service there are no popular pins, but users' last good feeds are better than no answer.
    const ask = () => blender.warmUp(config.blender.defaultTimeoutMs)
    await warmUp({ unready: blender.unready, ask, maxWaitMs: 30_000 })
    const buckets = createRedisBuckets({ ...redisOptions(config.redis), commandTimeoutMs: bucketTimeoutMs })
    use({ name: 'rate limits', close: () => buckets.close() })
    const rates = createRateLimits({
      name,
      config: limitConfigOf(config.limits),
      clock,
      shared: buckets,
      ownSecret: newSecret(),
      metrics,
      report,
    })
    const served = tracedBlender(blender, tracing)
    await serve({ blender: served, config, access, rates, logger, metrics, report, tls, readiness, use })
  },
})
