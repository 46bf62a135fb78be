import { setImmediate as pause } from 'node:timers/promises'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { writingAs } from '@freshet/contracts/origin'
import { chooseBackend } from '@freshet/ranking/tensor/backend'
import { observeDisks } from '@freshet/service/disk-space'
import { runService } from '@freshet/service/lifecycle'
import { processSchema } from './config.ts'
import { observeJoiner } from './joiner/observe.ts'
import { observePin2Vec } from './pin2vec/observe.ts'
import { createPin2VecJob } from './pin2vec/pin2vec-job.ts'
import { observeRanking } from './ranking/observe.ts'
import { createPublishedModels } from './ranking/published-models.ts'
import { createRankingTraining } from './ranking/training.ts'

await runService({
  name: 'trainer',
  description:
    'Learns pin embeddings from the stream of engagements, joins served feeds with engagements to training rows, and trains ranking models on them.',
  schema: processSchema,
  async start({ name, version, config, logger, metrics, report, tracing, use, fail }) {
    const clock = createSystemClock()
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock })
    const log = tracedLog(writingAs(kafka, name, version), tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    const { checkpointFolder } = config
    const artefacts = checkpointFolder === null ? null : createFolderArtefactStore(checkpointFolder)
    const pin2vec = createPin2VecJob({
      log,
      clock,
      config: config.trainer,
      checkpoints: artefacts,
      onError: (error, at) => report(error, { part: 'pin2vec', ...at }),
      onLogReplaced: fail,
    })
    use({ name: 'pin2vec', warning: () => pin2vec.warning(), drain: () => pin2vec.stop() })
    await pin2vec.start()
    observePin2Vec(pin2vec, metrics)
    if (config.trainer.ranking.enabled)
      logger.info({ backend: await chooseBackend(config.trainer.ranking.backend) }, 'backend of training')
    const onError = (error: Error): void => report(error, { part: 'models' })
    const published = createLogArtefactStore({ log, onError })
    const models = createPublishedModels({ published, folder: artefacts, clock, onError })
    use({ name: 'models', drain: () => models.stop() })
    if (config.trainer.ranking.enabled) void models.settle()
    const training = createRankingTraining({
      log,
      clock,
      config: config.trainer,
      artefacts,
      models,
      pause: () => pause(),
      onError: (part, error, at) => report(error, { part, ...at }),
      onTrained: ({ version: model, stage, reason }) => logger.info({ model, stage, reason }, 'model trained'),
      onLogReplaced: fail,
    })
    use({
      name: 'training',
      warning: () => training.joiner.warning() ?? training.ranking?.warning() ?? null,
      drain: () => training.stop(),
    })
    await training.start()
    observeDisks({ checkpointFolder }, metrics)
    observeJoiner(training.joiner, metrics)
    if (training.ranking !== null) observeRanking(training.ranking, clock, metrics)
  },
})
