import { SnapshotError } from '@freshet/columns/errors'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { snapshotProblem } from '@freshet/contracts/log-watch'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Pin2Vec } from '@freshet/embeddings/pin2vec'
import { learnedTopics } from './learn.ts'

/** The model, and the log positions up to which it learned. */
export interface Learned {
  readonly model: Pin2Vec
  readonly progress: LogProgress
}

const checkpointName = 'trainer/pin2vec.checkpoint'

/** Writes the model with its positions in the log, as one artefact. */
export async function saveCheckpoint(checkpoints: ArtefactStore, { model, progress }: Learned): Promise<void> {
  await checkpoints.put(checkpointName, model.checkpoint(progress.save()))
}

/** Options of a restore. */
export interface RestoreOptions {
  readonly log: EventLog
  readonly checkpoints: ArtefactStore
  readonly emptyModel: () => Pin2Vec
  /** Called if a checkpoint can be used only in part or not at all. */
  readonly onProblem: (error: Error) => void
}

/**
 * Restores the last checkpoint. Returns an empty model if there is none or it is damaged. If the checkpoint belongs to another
 * log, it keeps the model and drops the positions. Throws what the artefact store throws.
 */
export async function restoreCheckpoint(options: RestoreOptions): Promise<Learned> {
  const { log, checkpoints, emptyModel, onProblem } = options
  const model = emptyModel()
  const progress = createLogProgress()
  try {
    progress.load(model.restore(await checkpoints.get(checkpointName)))
  } catch (error) {
    if (!isContractError(error, 'ARTEFACT_MISSING')) {
      if (!(error instanceof SnapshotError)) throw error
      onProblem(error)
    }
    return { model: emptyModel(), progress: createLogProgress() }
  }
  const problem = await snapshotProblem(log, progress, learnedTopics)
  if (problem === null) return { model, progress }
  onProblem(
    new ContractError(
      'LOG_REPLACED',
      `the trainer keeps the model of the checkpoint and drops its positions: ${problem}`,
    ),
  )
  return { model, progress: createLogProgress() }
}
