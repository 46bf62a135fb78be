import { ContractError, isContractError } from '@freshet/contracts/errors'
import { snapshotProblem } from '@freshet/contracts/log-watch'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { SnapshotError } from '@freshet/columns/errors'
import type { Retrieval } from '@freshet/retrieval/retrieval'
import { viewTopics, type Views } from './views.ts'

/** What happened to a snapshot. */
export type SnapshotEvent =
  | { readonly kind: 'snapshot-restored'; readonly bytes: number }
  | { readonly kind: 'snapshot-unusable'; readonly error: Error }
  | { readonly kind: 'snapshot-written'; readonly bytes: number }
  | { readonly kind: 'snapshot-failed'; readonly error: Error }

/** Stores copies of the views, so that a start need not read the whole log. */
export interface ViewSnapshots {
  /** Fills the views from the last snapshot, if there is one; calls `reset` if the snapshot can't be used. */
  restore(): Promise<void>
  /** Writes a snapshot. The service still answers requests; folds wait while the views are copied. */
  write(): Promise<void>
  /** Writes a snapshot every `intervalMs` until the signal is aborted. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>
}

/** What snapshots are made from. */
export interface ViewSnapshotsOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly store: ArtefactStore
  /** The current views; `reset` replaces them. */
  readonly current: () => { readonly retrieval: Retrieval; readonly views: Views }
  /** Replaces the views with empty ones. */
  readonly reset: () => void
  readonly pause: () => Promise<void>
  readonly onEvent: (event: SnapshotEvent) => void
}

const snapshotName = 'candidate-service/views.snapshot'

/** Creates the snapshots of the views in an artefact store. */
export function createViewSnapshots(options: ViewSnapshotsOptions): ViewSnapshots {
  const { log, clock, store, current, reset, pause, onEvent } = options

  async function restore(): Promise<void> {
    const { retrieval, views } = current()
    try {
      const bytes = await store.get(snapshotName)
      views.progress.load(retrieval.restore(bytes))
      const problem = await snapshotProblem(log, views.progress, viewTopics)
      if (problem !== null) throw new ContractError('LOG_REPLACED', `the snapshot cannot be used: ${problem}`)
      onEvent({ kind: 'snapshot-restored', bytes: bytes.byteLength })
    } catch (error) {
      if (isContractError(error, 'ARTEFACT_MISSING')) return
      if (!(error instanceof SnapshotError) && !isContractError(error, 'LOG_REPLACED')) throw error
      reset()
      onEvent({ kind: 'snapshot-unusable', error })
    }
  }

  async function write(): Promise<void> {
    const { retrieval, views } = current()
    const release = views.hold()
    try {
      const steps = retrieval.snapshotSteps(views.progress.save())
      let step = steps.next()
      for (; step.done !== true; step = steps.next()) {
        if (step.value === 'joining') release()
        await pause()
      }
      const bytes = step.value
      await store.put(snapshotName, bytes)
      onEvent({ kind: 'snapshot-written', bytes: bytes.byteLength })
    } catch (error) {
      onEvent({ kind: 'snapshot-failed', error: error as Error })
    } finally {
      release()
    }
  }

  return {
    restore,
    write,
    async run(intervalMs, signal) {
      while (!signal.aborted) {
        try {
          await clock.sleep(intervalMs, signal)
        } catch {
          return
        }
        await write()
      }
    },
  }
}
