import { setImmediate as pause } from 'node:timers/promises'
import { serveRanker } from '@freshet/adapters/grpc/ranker-server'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { tracedRanker } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { catalogueInspection, pinInspection } from '@freshet/contracts/inspection/routes'
import { grpcComponent, startGrpcServer } from '@freshet/service/grpc-server'
import { callObserver } from '@freshet/service/call-metrics'
import { warmUp } from '@freshet/service/warm-up'
import { runService } from '@freshet/service/lifecycle'
import { processSchema, removedSettings } from './config.ts'
import { servingInspection } from './inspection.ts'
import { observe } from './observe.ts'
import { createRanker } from './ranker.ts'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'

await runService({
  name: 'ranker',
  description: 'Scores a page of candidates with TensorFlow.js from the features that the ranking spec names.',
  schema: processSchema,
  removed: removedSettings,
  async start({ name, config, logger, metrics, report, access, tracing, tls, use, inspect, readiness, fail }) {
    const clock = createSystemClock()
    const { models, backend } = await openSpecSlot(config.ranking)
    use({ name: 'model', close: () => models.close() })
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    const log = tracedLog(kafka, tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    const ranker = createRanker({
      log,
      clock,
      config: config.ranking,
      models,
      artefacts: createLogArtefactStore({ log, onError: (error) => report(error, { part: 'models' }) }),
      onError: (error, at) => report(error, { part: 'views', ...at }),
      onModelSwapped: ({ version, planVersion }) => logger.info({ model: version, plan: planVersion }, 'model swapped'),
      onUnhealthy: (warning) => logger.warn(warning),
      pause,
      onLogReplaced: fail,
    })
    logger.info({ backend, model: ranker.model() }, 'model')
    use({
      name: 'views',
      notReady: () => ranker.unready(),
      warning: () => ranker.warning(),
      close: () => ranker.stop(),
    })
    inspect(
      servingInspection(ranker, config.ranking.surface),
      catalogueInspection(() => ranker.stats().pins),
      pinInspection({ clock, stateOf: async (id) => ranker.known(id).state, pinOf: (id) => ranker.known(id).pin }),
    )
    await ranker.start()
    observe(ranker, metrics)
    await warmUp({ unready: ranker.unready, ask: async () => ranker.warmUp() })
    const rpc = serveRanker(tracedRanker(ranker, tracing, 'server'), {
      onDefect: (error) => report(error, { part: 'grpc', outcome: 'defect' }),
      onCall: callObserver(metrics),
    })
    const server = await startGrpcServer({
      ...config.grpc,
      services: [rpc],
      access,
      descriptors: readDescriptors(),
      metrics,
      tls: tls.server('grpc'),
    })
    const component = grpcComponent(server, readiness)
    use({ ...component, drain: async () => (rpc.drain(), component.drain?.()) })
    logger.info({ grpcPort: server.port }, 'listening')
  },
})
