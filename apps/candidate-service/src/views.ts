import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { float32Column } from '@freshet/contracts/columns'
import type { TopicName } from '@freshet/contracts/topics'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import type { Retrieval } from '@freshet/retrieval/retrieval'

/** The topics that the views fold. */
export const viewTopics = ['pins.v1', 'engagements.v1', 'pin-embeddings.v1'] as const satisfies readonly TopicName[]

/** Folds batches of the log into the retrieval views, in slices. */
export interface Views {
  /** Folds a batch; positions already folded are passed over, so that a batch may come again. Gives way every `sliceRecords` records. */
  fold(batch: LogBatch): Promise<void>
  /** Keeps folds from going on, in the middle of a batch too, until the function it gives is called. */
  hold(): () => void
  /** How far they have come, and who waits. */
  readonly progress: LogProgress
  /** Records that could not be decoded or folded, by reason. */
  rejected(): Readonly<Record<string, number>>
}

/** Views over a Retrieval. `pause` gives way to waiting requests between slices. */
export function createViews({
  retrieval,
  sliceRecords,
  pause,
}: {
  readonly retrieval: Retrieval
  readonly sliceRecords: number
  readonly pause: () => Promise<void>
}): Views {
  const progress = createLogProgress()
  const rejected = new Map<string, number>()

  let held: Promise<void> | null = null
  const hindrance = (): Promise<void> | null => held

  function reject(reason: string): void {
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
  }

  function foldRecord(topic: string, key: string, value: Uint8Array | null): void {
    try {
      if (topic === 'pins.v1') retrieval.foldPin(decodePinChange(key, value))
      else if (topic === 'engagements.v1') {
        // The updater's tombstone of a user who was erased.
        if (value === null) retrieval.foldErasure(asId<UserId>(key))
        else retrieval.foldEngagement(decodeEngagement(value))
      } else for (const { code } of retrieval.foldEmbeddings([embeddingUpdate(key, value)])) reject(code)
    } catch (error) {
      // A record that no fold can use must not stop the view: it is counted, and the updater dead-letters it.
      reject(isContractError(error) ? error.code : ((error as { code?: string }).code ?? 'FOLD_FAILED'))
    }
  }

  return {
    async fold(batch) {
      const { topic, partition } = batch
      const done = progress.position(topic, partition) ?? 0
      let sinceYield = 0
      while (hindrance() !== null) await hindrance()
      for (const record of batch.records) {
        if (record.position < done) continue
        foldRecord(topic, record.key, record.value)
        if (++sinceYield === sliceRecords) {
          // A snapshot taken between slices must hold the positions of what it holds.
          progress.advance(topic, partition, record.position + 1)
          sinceYield = 0
          await pause()
          while (hindrance() !== null) await hindrance()
        }
      }
      progress.advance(topic, partition, batch.next)
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return () => {
        if (held === promise) held = null
        resolve()
      }
    },
    progress,
    rejected: () => Object.fromEntries(rejected),
  }
}

function embeddingUpdate(key: string, value: Uint8Array | null): { pinId: PinId; vector: Float32Array | null } {
  if (value === null) return { pinId: asId<PinId>(key), vector: null }
  const message = PinEmbedding.decode(value)
  return { pinId: asId<PinId>(message.pinId), vector: float32Column(message.vector) }
}
