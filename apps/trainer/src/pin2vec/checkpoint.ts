import { SnapshotError } from '@freshet/columns/errors'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { snapshotProblem } from '@freshet/contracts/log-watch'
import { createPinVersions, type PinVersions } from '@freshet/contracts/pin-versions'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Pin2Vec } from '@freshet/embeddings/pin2vec'
import { learnedTopics } from './learn.ts'

/** The model, and the log positions up to which it learned. */
export interface Learned {
  readonly model: Pin2Vec
  readonly progress: LogProgress
  /** Which catalogue records count; saved with the positions. */
  readonly versions: PinVersions
}

/** A model that has read nothing, or whose positions are unknown. */
export function atStart(model: Pin2Vec, maxVersions: number): Learned {
  const progress = createLogProgress()
  const versions = createPinVersions({ maxVersions })
  progress.attach('pin-versions', versions)
  return { model, progress, versions }
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
  readonly maxVersions: number
  /** Called if a checkpoint can be used only in part or not at all. */
  readonly onProblem: (error: Error) => void
}

/**
 * Restores the last checkpoint. Returns an empty model if there is none or it is damaged. If the checkpoint belongs to another
 * log, it keeps the model and drops the positions. Throws what the artefact store throws.
 */
export async function restoreCheckpoint(options: RestoreOptions): Promise<Learned> {
  const { log, checkpoints, emptyModel, maxVersions, onProblem } = options
  const learned = atStart(emptyModel(), maxVersions)
  const { model, progress } = learned
  try {
    progress.load(model.restore(await checkpoints.get(checkpointName)))
  } catch (error) {
    if (!isContractError(error, 'ARTEFACT_MISSING')) {
      if (!(error instanceof SnapshotError)) throw error
      onProblem(error)
    }
    return atStart(emptyModel(), maxVersions)
  }
  const problem = await snapshotProblem(log, progress, learnedTopics)
  if (problem === null) return learned
  onProblem(
    new ContractError(
      'LOG_REPLACED',
      `the trainer keeps the model of the checkpoint and drops its positions: ${problem}`,
    ),
  )
  return atStart(model, maxVersions)
}
