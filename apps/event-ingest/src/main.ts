import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { pseudonymsOf } from '@freshet/adapters/system/pseudonyms'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { writingAs } from '@freshet/contracts/origin'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { grpcComponent, startGrpcServer } from '@freshet/service/grpc-server'
import { runService } from '@freshet/service/lifecycle'
import { createAcknowledged } from './acknowledged.ts'
import { processSchema } from './config.ts'
import { createConnectors } from './connectors/connectors.ts'
import { sourceComponents } from './connectors/kafka-source.ts'
import { createIngestGrpcService } from './grpc.ts'
import { createIngest } from './ingest.ts'
import { listenHttp } from './listen.ts'
import { sourcesOf } from './rate-limits.ts'
import { followSuppression } from './suppression.ts'
import { topicsKnown } from './topics-known.ts'
import { tracedIngest } from './traced-ingest.ts'
import { watchLogs } from './watch-logs.ts'

await runService({
  name: 'event-ingest',
  description: 'Accepts engagements and catalogue changes, and answers when the log has them.',
  schema: processSchema,
  async start({ name, version, config, logger, metrics, report, access, tracing, tls, use, readiness }) {
    const clock = createSystemClock()
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    const log = tracedLog(writingAs(kafka, name, version), tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    use(topicsKnown(log, clock))
    const watch = watchLogs({
      log,
      clock,
      redis: config.redis,
      onError: (error) => report(error, { part: 'fold-watch' }),
    })
    use(watch.component)
    const sources = sourcesOf({ name, config, clock, metrics, report, use })
    const suppression = await followSuppression({ log, clock, report, ...config.ingest })
    use(suppression.component)
    const privacy = { suppression, pseudonymOf: pseudonymsOf(config.pseudonyms) }
    const acknowledged = createAcknowledged({ log, clock, metrics })
    use(acknowledged.watch((error) => report(error, { part: 'acknowledged' })))
    const bare = createIngest({
      log,
      clock,
      config: config.ingest,
      metrics,
      report,
      ...sources,
      ...watch,
      ...privacy,
      acknowledged,
    })
    const ingest = tracedIngest(bare, tracing)
    use({ name: 'ingest', drain: () => ingest.inFlight.idle() })
    const connectors = createConnectors({ ingest, log, clock, config: config.ingest, metrics, report, ...privacy })
    const parts = { log, ingest, mapping: connectors.mapping, ...privacy, clock, config, metrics, report }
    for (const component of sourceComponents(parts, kafka)) use(component)
    const intake = { ingest, connectors, access, clock, metrics, report }
    const ports = await listenHttp({ ...intake, config, tls: tls.server('http'), use })
    const { maxStreamBatches } = config.ingest
    const service = createIngestGrpcService(ingest, { metrics, report, maxStreamBatches })
    const grpc = await startGrpcServer({
      ...config.grpc,
      services: [service],
      access,
      descriptors: readDescriptors(),
      metrics,
      tls: tls.server('grpc'),
    })
    use(grpcComponent(grpc, readiness))
    use({ name: 'streams', drain: () => service.drain() })
    logger.info({ ...ports, grpcPort: grpc.port }, 'listening')
  },
})
