import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { float32Column } from '@freshet/contracts/columns'
import type { TopicName } from '@freshet/contracts/topics'
import { asId, type PinId } from '@freshet/domain/ids'
import type { Retrieval } from '@freshet/retrieval/retrieval'

/** The topics that the views fold. */
export const viewTopics = ['pins.v1', 'engagements.v1', 'pin-embeddings.v1'] as const satisfies readonly TopicName[]

/** How far the views have come: topic → partition → first position not yet folded. */
export type ViewPositions = Map<string, number>

/** Folds batches of the log into the retrieval views, in slices. */
export interface Views {
  /** Folds a batch; positions already folded are passed over, so that a batch may come again. Gives way every `sliceRecords` records. */
  fold(batch: LogBatch): Promise<void>
  /** First position not yet folded; null: nothing folded. */
  position(topic: string, partition: number): number | null
  /** Resolves true when all have been folded, false when the signal is aborted first. */
  reached(
    positions: readonly { readonly topic: string; readonly partition: number; readonly position: number }[],
    signal: AbortSignal,
  ): Promise<boolean>
  /** Positions as bytes for a snapshot, and back. */
  savePositions(): Uint8Array
  loadPositions(bytes: Uint8Array): void
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
  const positions: ViewPositions = new Map()
  const rejected = new Map<string, number>()
  const waiters = new Set<() => void>()

  function foldRecord(topic: string, key: string, value: Uint8Array | null): void {
    try {
      if (topic === 'pins.v1') retrieval.foldPin(decodePinChange(key, value))
      else if (topic === 'engagements.v1') {
        if (value !== null) retrieval.foldEngagement(decodeEngagement(value))
      } else retrieval.foldEmbeddings([embeddingUpdate(key, value)])
    } catch (error) {
      // A record that no fold can use must not stop the view: it is counted, and the updater dead-letters it.
      const reason = isContractError(error) ? error.code : ((error as { code?: string }).code ?? 'FOLD_FAILED')
      rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
    }
  }

  return {
    async fold(batch) {
      const at = `${batch.topic}/${batch.partition}`
      const done = positions.get(at) ?? 0
      let sinceYield = 0
      for (const record of batch.records) {
        if (record.position < done) continue
        foldRecord(batch.topic, record.key, record.value)
        positions.set(at, record.position + 1)
        if (++sinceYield === sliceRecords) {
          sinceYield = 0
          await pause()
        }
      }
      positions.set(at, Math.max(batch.next, positions.get(at) ?? 0))
      for (const check of waiters) check()
    },
    position: (topic, partition) => positions.get(`${topic}/${partition}`) ?? null,
    reached(wanted, signal) {
      const behind = (): boolean =>
        wanted.some(({ topic, partition, position }) => (positions.get(`${topic}/${partition}`) ?? 0) < position)
      if (!behind()) return Promise.resolve(true)
      if (signal.aborted) return Promise.resolve(false)
      return new Promise((resolve) => {
        const end = (reached: boolean): void => {
          waiters.delete(check)
          signal.removeEventListener('abort', onAbort)
          resolve(reached)
        }
        const check = (): void => {
          if (!behind()) end(true)
        }
        const onAbort = (): void => end(false)
        waiters.add(check)
        signal.addEventListener('abort', onAbort)
      })
    },
    savePositions: () => new TextEncoder().encode(JSON.stringify([...positions])),
    loadPositions(bytes) {
      positions.clear()
      for (const [at, position] of JSON.parse(new TextDecoder().decode(bytes)) as [string, number][])
        positions.set(at, position)
    },
    rejected: () => Object.fromEntries(rejected),
  }
}

function embeddingUpdate(key: string, value: Uint8Array | null): { pinId: PinId; vector: Float32Array | null } {
  if (value === null) return { pinId: asId<PinId>(key), vector: null }
  const message = PinEmbedding.decode(value)
  return { pinId: asId<PinId>(message.pinId), vector: float32Column(message.vector).slice() }
}
