import { setImmediate as pause } from 'node:timers/promises'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { serveCandidateService } from '@freshet/adapters/grpc/candidate-service-server'
import { createTrailShardClient } from '@freshet/adapters/grpc/trail-shard-client'
import { serveTrailShard } from '@freshet/adapters/grpc/trail-shard-server'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { tracedCandidateService, tracedTrailShard } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { grpcComponent, startGrpcServer } from '@freshet/service/grpc-server'
import { callObserver } from '@freshet/service/call-metrics'
import { channelCredentials } from '@freshet/service/grpc-credentials'
import { observeDisks } from '@freshet/service/disk-space'
import { warmUp } from '@freshet/service/warm-up'
import { runService } from '@freshet/service/lifecycle'
import { createCandidateService } from './candidate-service.ts'
import { processSchema } from './config.ts'
import { eventReporter, observe, sourceObserver, viewInstruments } from './observe.ts'

await runService({
  name: 'candidate-service',
  description: 'Finds a few hundred candidate pins for each request, from views folded from the log.',
  schema: processSchema,
  async start({ name, config, logger, metrics, report, access, tracing, tls, use, readiness, fail }) {
    const clock = createSystemClock()
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    const log = tracedLog(kafka, tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    const credentials = channelCredentials(tls.client())
    const peers = config.candidates.shardPeers.map((address) => {
      const peer = createTrailShardClient({ address, credentials, roundRobin: true, key: access.internalKey })
      return tracedTrailShard(peer, tracing, 'client')
    })
    use({ name: 'shards', close: async () => peers.forEach((peer) => peer.close()) })
    const writesSnapshots = config.snapshotFolder !== null
    const { onFolded, onViewEvent } = viewInstruments(metrics, clock, { writesSnapshots })
    const tell = eventReporter(logger, report)
    const service = createCandidateService({
      peers,
      log,
      clock,
      config: config.candidates,
      snapshots: config.snapshotFolder === null ? null : createFolderArtefactStore(config.snapshotFolder),
      pause: () => pause(),
      onFolded,
      onEvent: (event) => {
        onViewEvent(event)
        tell(event)
      },
      onRetrieved: sourceObserver(metrics),
      onLogReplaced: fail,
    })
    use({
      name: 'views',
      notReady: () => service.unready(),
      warning: () => service.warning(),
      close: () => service.stop(),
    })
    await service.start()
    observe(service, metrics)
    observeDisks({ snapshotFolder: config.snapshotFolder }, metrics)
    await warmUp({ unready: service.unready, ask: async () => service.warmUp() })
    const onDefect = (error: unknown): void => report(error, { part: 'grpc', outcome: 'defect' })
    const serving = { onDefect, onCall: callObserver(metrics) }
    const rpcs = [
      serveCandidateService(tracedCandidateService(service, tracing, 'server'), serving),
      serveTrailShard(tracedTrailShard(service, tracing, 'server'), serving),
    ]
    const server = await startGrpcServer({
      ...config.grpc,
      services: rpcs,
      access,
      descriptors: readDescriptors(),
      metrics,
      tls: tls.server('grpc'),
    })
    const component = grpcComponent(server, readiness)
    use({ ...component, drain: async () => (rpcs.forEach((rpc) => rpc.drain()), component.drain?.()) })
    logger.info({ grpcPort: server.port }, 'listening')
  },
})
