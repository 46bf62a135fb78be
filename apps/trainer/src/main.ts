import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { runService } from '@freshet/service/lifecycle'
import { processSchema } from './config.ts'
import { observe } from './observe.ts'
import { createTrainer } from './trainer.ts'

await runService({
  name: 'trainer',
  description: 'Learns pin embeddings from the stream of engagements and publishes the rows that changed.',
  schema: processSchema,
  async start({ name, config, metrics, report, use, fail }) {
    const clock = createSystemClock()
    const log = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    use({ name: 'log', close: () => log.close() })
    const trainer = createTrainer({
      log,
      clock,
      config: config.trainer,
      checkpoints: config.checkpointFolder === null ? null : createFolderArtefactStore(config.checkpointFolder),
      onError: (error, at) => report(error, { part: 'trainer', ...at }),
      onLogReplaced: fail,
    })
    use({ name: 'trainer', warning: () => trainer.warning(), drain: () => trainer.stop() })
    await trainer.start()
    observe(trainer, metrics)
  },
})
