import { createDirectCandidateService } from '@freshet/adapters/direct/candidate-service'
import { createDirectRanker } from '@freshet/adapters/direct/ranker'
import { tracedCandidateService, tracedRanker } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { createBlender } from '@freshet/blender/blender'
import type { RunningBlender } from '@freshet/blender/running-blender'
import { blenderSchema, type BlenderConfig } from '@freshet/blender/config'
import {
  createCandidateService,
  type CandidateServiceEvent,
  type RunningCandidateService,
} from '@freshet/candidate-service/candidate-service'
import { candidateServiceSchema, type CandidateServiceConfig } from '@freshet/candidate-service/config'
import type { FeedObserver } from '@freshet/blender/feed-observer'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { writingAs } from '@freshet/contracts/origin'
import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import type { EventLog, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { noTracing, type Tracing } from '@freshet/domain/tracing'
import { version } from '@freshet/domain/version'
import type { Clock, Random } from '@freshet/domain/clock'
import { updaterConfigOf, type UpdaterConfig } from '@freshet/feature-updater/config'
import type { updaterInstruments } from '@freshet/feature-updater/observe'
import { createCatalogueKeeper } from '@freshet/feature-updater/catalogue-keeper'
import { createUpdater, type Updater } from '@freshet/feature-updater/updater'
import { rankerSchema, type RankerConfig } from '@freshet/ranker/config'
import { createRanker, type RunningRanker } from '@freshet/ranker/ranker'
import type { EngineClock } from '@freshet/pipeline/clock'
import { trainerSchema, type TrainerConfig } from '@freshet/trainer/config'
import {
  createRankingTraining,
  type RankingTraining,
  type RankingTrainingOptions,
} from '@freshet/trainer/ranking/training'
import { createPin2VecJob, type Pin2VecJob } from '@freshet/trainer/pin2vec/pin2vec-job'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'

/** The adapters that the services run on. */
export interface Platform {
  readonly log: EventLog
  readonly store: StateStore
  /** Snapshots and checkpoints; null: every start replays the log. */
  readonly artefacts: ArtefactStore | null
  readonly clock: Clock
  readonly random: Random
  /** Measures and bounds the stages of feeds. */
  readonly engineClock: EngineClock
}

/** Settings of the services that differ from their defaults. */
export interface EmbeddedConfig {
  readonly candidates?: Partial<CandidateServiceConfig>
  readonly updater?: Parameters<typeof updaterConfigOf>[0]
  readonly ranking?: Partial<RankerConfig>
  readonly blender?: Partial<BlenderConfig>
  /** null: the process trains no embeddings and makes no training rows. */
  readonly trainer?: TrainerSettings | null
}

/** Settings of the trainer that differ from their defaults. */
export type TrainerSettings = Partial<Omit<TrainerConfig, 'joiner' | 'ranking'>> & {
  readonly joiner?: Partial<TrainerConfig['joiner']>
  readonly ranking?: Partial<TrainerConfig['ranking']>
}

/** All services in one process, connected by direct calls. They run the same use cases as the separate services. */
export interface Embedded {
  readonly updater: Updater
  readonly candidates: RunningCandidateService
  readonly ranker: RunningRanker
  readonly blender: RunningBlender
  /** null: training is switched off. */
  readonly pin2vec: Pin2VecJob | null
  /** null: training is switched off. */
  readonly joiner: RankingTraining['joiner'] | null
  /** The joiner and the training of models; null: training is switched off. */
  readonly training: RankingTraining | null
  start(): Promise<void>
  /** Why the services cannot answer feeds yet; null: they can. */
  unready(): string | null
  stop(): Promise<void>
}

/** Composes the services over a platform. Nothing runs before `start()`. */
export function createEmbedded(options: {
  readonly platform: Platform
  readonly models: ModelSlot
  readonly config?: EmbeddedConfig
  /** false: feeds are not ranked and pin state is not folded. Evaluations of candidates use this. */
  readonly ranked?: boolean
  readonly pause: () => Promise<void>
  /** Absent: no traces. */
  readonly tracing?: Tracing
  readonly onError: (part: string, error: unknown, at?: TopicPartition) => void
  /** Called with a line when the inputs of the serving model cross a threshold. */
  readonly onUnhealthy?: (warning: string) => void
  /** Called when another model serves. */
  readonly onModelSwapped?: (model: ServingModel) => void
  readonly feedObserver?: FeedObserver
  readonly updaterInstruments?: ReturnType<typeof updaterInstruments>
  readonly onViewEvent?: (event: CandidateServiceEvent) => void
  /** Called after the candidate service has folded a batch. */
  readonly onFolded?: NonNullable<Parameters<typeof createCandidateService>[0]['onFolded']>
  /** Called with what the sources did for each request. */
  readonly onRetrieved?: NonNullable<Parameters<typeof createCandidateService>[0]['onRetrieved']>
  /** Called with new training rows. */
  readonly onRows?: RankingTrainingOptions['onRows']
  /** Called with the record of each trained model. */
  readonly onTrained?: RankingTrainingOptions['onTrained']
  /** Where the trainer puts models and the ranker gets them; default: with the snapshots. null: no model is trained. */
  readonly modelStore?: ArtefactStore | null
  /** Wraps the ranker that the blender calls, for example to look at what it is asked. */
  readonly wrapRanker?: (ranker: Ranker) => Ranker
  /** Wraps the candidate service that the blender calls, for example to let calls fail. */
  readonly wrapCandidates?: (candidates: CandidateService) => CandidateService
}): Embedded {
  const {
    platform,
    models,
    config = {},
    pause,
    onError,
    modelStore = platform.artefacts,
    tracing = noTracing,
  } = options
  const { log, store, clock, random } = platform
  const settings = parseSettings(config)
  const readBy = (service: string): EventLog => tracedLog(log, tracing, { service, clock })
  const logOf = (service: string): EventLog => tracedLog(writingAs(log, service, version), tracing, { service, clock })
  const updater = createUpdater({
    log: logOf('feature-updater'),
    store,
    clock,
    config: settings.updater,
    onError: (error, at) => onError('feature-updater', error, at),
    ...options.updaterInstruments,
  })
  const catalogue = createCatalogueKeeper({
    log: logOf('feature-updater'),
    store,
    ownedBoards: updater.ownedBoards,
    ...settings.updater.updater,
    onError: (error, at) => onError('feature-updater', error, at),
  })
  const candidates = createCandidateService({
    log: readBy('candidate-service'),
    clock,
    config: settings.candidates,
    snapshots: platform.artefacts,
    pause,
    onEvent: (event) => {
      if (event.kind === 'reader-error') onError('candidate-service', event.error, event.at)
      else if (event.kind === 'snapshot-failed') onError('candidate-service', event.error)
      options.onViewEvent?.(event)
    },
    ...(options.onFolded && { onFolded: options.onFolded }),
    ...(options.onRetrieved && { onRetrieved: options.onRetrieved }),
  })
  const ranker = createRanker({
    log: readBy('ranker'),
    clock,
    config: settings.ranking,
    models,
    artefacts: modelStore,
    pause,
    onError: (error, at) => onError('ranker', error, at),
    ...(options.onUnhealthy && { onUnhealthy: options.onUnhealthy }),
    ...(options.onModelSwapped && { onModelSwapped: options.onModelSwapped }),
  })
  const direct = createDirectRanker(ranker)
  const directCandidates = createDirectCandidateService(candidates)
  const askedCandidates = options.wrapCandidates?.(directCandidates) ?? directCandidates
  const askedRanker = options.wrapRanker?.(direct) ?? direct
  const blender = createBlender({
    store,
    log: logOf('blender'),
    candidates: tracedCandidateService(askedCandidates, tracing, 'client'),
    ranker: tracedRanker(askedRanker, tracing, 'client'),
    clock,
    engineClock: platform.engineClock,
    random,
    config: settings.blender,
    observer: options.feedObserver ?? {
      ran: () => undefined,
      answered: () => undefined,
      feedLost: (_feeds, _why, error) => onError('blender', error),
      failed: (_what, error, at) => onError('blender', error, at),
    },
  })
  const trainerConfig = trainerConfigOf(config.trainer ?? {}, settings.ranking)
  const pin2vec =
    config.trainer === null
      ? null
      : createPin2VecJob({
          log: logOf('trainer'),
          clock,
          config: trainerConfig,
          checkpoints: platform.artefacts,
          onError: (error, at) => onError('pin2vec', error, at),
        })
  const training =
    config.trainer === null
      ? null
      : createRankingTraining({
          log: logOf('trainer'),
          clock,
          config: trainerConfig,
          artefacts: platform.artefacts,
          models: modelStore,
          pause,
          ...(options.onRows && { onRows: options.onRows }),
          ...(options.onTrained && { onTrained: options.onTrained }),
          onError,
        })
  return {
    updater,
    candidates,
    ranker,
    blender,
    pin2vec,
    joiner: training?.joiner ?? null,
    training,
    async start() {
      await updater.start(options.ranked === false ? ['engagements.v1'] : undefined)
      if (options.ranked !== false) await catalogue.start()
      await Promise.all([candidates.start(), ...(options.ranked === false ? [] : [ranker.start()])])
      await blender.start()
      await pin2vec?.start()
      await training?.start()
    },
    unready: () => candidates.unready() ?? ranker.unready() ?? blender.unready(),
    async stop() {
      await pin2vec?.stop()
      await blender.stop()
      // After the blender, so that its last feeds are joined.
      await training?.stop()
      await Promise.all([candidates.stop(), ranker.stop()])
      await catalogue.stop()
      await updater.stop()
    },
  }
}

function parseSettings(config: EmbeddedConfig): {
  readonly candidates: CandidateServiceConfig
  readonly updater: UpdaterConfig
  readonly ranking: RankerConfig
  readonly blender: BlenderConfig
} {
  return {
    candidates: candidateServiceSchema.parse(config.candidates ?? {}),
    updater: updaterConfigOf(config.updater ?? {}),
    ranking: rankerSchema.parse(config.ranking ?? {}),
    blender: blenderSchema.parse(config.blender ?? {}),
  }
}

/** The trainer learns the spec that the ranker serves, unless it has one of its own. */
function trainerConfigOf(trainer: TrainerSettings, { specFile }: RankerConfig): TrainerConfig {
  const config = trainerSchema.parse(trainer)
  return { ...config, ranking: { ...config.ranking, specFile: config.ranking.specFile ?? specFile } }
}
