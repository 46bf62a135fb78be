import type { ContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { ModelRecord } from '@freshet/domain/model-record'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import type { TrainerConfig } from '../config.ts'
import { createJoinerJob, type JoinerJob } from '../joiner/joiner-job.ts'
import { createRankingJob, type RankingJob } from './ranking-job.ts'

/** Dependencies of the training of ranking models. */
export interface RankingTrainingOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: TrainerConfig
  /** Checkpoints and files of rows; null: rows are kept in memory only. */
  readonly artefacts: ArtefactStore | null
  /** Where models go; null: no model is trained. */
  readonly models: ArtefactStore | null
  readonly pause: () => Promise<void>
  readonly onError: (part: 'joiner' | 'ranking', error: Error, at?: TopicPartition) => void
  readonly onRows?: (batch: RowBatch) => void
  readonly onTrained?: (record: ModelRecord) => void
  readonly onLogReplaced?: (error: ContractError) => void
}

/** The joiner and the job that learns from its rows. */
export interface RankingTraining {
  readonly joiner: JoinerJob
  /** null: no model is trained. */
  readonly ranking: RankingJob | null
  /** `timers: false`: models are trained in `runDue` only. */
  start(options?: { readonly timers?: boolean }): Promise<void>
  /** Closes windows that have ended, then trains if it is time to. A run in virtual time calls it. */
  runDue(): Promise<void>
  stop(): Promise<void>
}

/** Composes both jobs; nothing runs before `start()`. */
export function createRankingTraining(options: RankingTrainingOptions): RankingTraining {
  const { log, clock, config, artefacts, models, pause, onError, onRows, onTrained } = options
  const ranking =
    models === null || !config.ranking.enabled
      ? null
      : createRankingJob({
          log,
          clock,
          config: config.ranking,
          models,
          earlierRows: () => joiner.readRows(0, Infinity),
          pause,
          onError: (error) => onError('ranking', error),
          ...(onTrained && { onTrained }),
        })
  const joiner = createJoinerJob({
    log,
    clock,
    config,
    artefacts,
    onRows(batch) {
      ranking?.take(batch)
      onRows?.(batch)
    },
    onError: (error, at) => onError('joiner', error, at),
    ...(options.onLogReplaced && { onLogReplaced: options.onLogReplaced }),
  })
  return {
    joiner,
    ranking,
    async start(how) {
      await ranking?.start(how)
      await joiner.start()
    },
    async runDue() {
      await joiner.advance()
      await ranking?.runDue()
    },
    async stop() {
      await joiner.stop()
      await ranking?.stop()
    },
  }
}
