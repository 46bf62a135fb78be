import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { float32Column } from '@freshet/contracts/bytes/columns'
import type { TopicName } from '@freshet/contracts/topics'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import type { Lesson } from '@freshet/retrieval/merge/learning'
import type { EmbeddingUpdate, Retrieval } from '@freshet/retrieval/retrieval'

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

/** What a record says: what the merge of a shard can learn from it first, and how it is folded then. */
interface ReadRecord {
  readonly lesson: Lesson | null
  readonly fold: () => void
}

/** What views are made of. */
export interface ViewsOptions {
  readonly retrieval: Retrieval
  readonly sliceRecords: number
  /** Gives way to waiting requests between slices. */
  readonly pause: () => Promise<void>
  /** Learns from a record of a shard's user before it is folded. Must not reject. */
  readonly learn: (lesson: Lesson) => Promise<void>
}

/** Views over a Retrieval. */
export function createViews({ retrieval, sliceRecords, pause, learn }: ViewsOptions): Views {
  const progress = createLogProgress()
  const rejected = new Map<string, number>()

  let held: Promise<void> | null = null
  const hindrance = (): Promise<void> | null => held

  function reject(reason: string): void {
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
  }

  // A record that no fold can use must not stop the view: it is counted, and the updater dead-letters it.
  function orReject<Result>(work: () => Result): Result | null {
    try {
      return work()
    } catch (error) {
      reject(isContractError(error) ? error.code : ((error as { code?: string }).code ?? 'FOLD_FAILED'))
      return null
    }
  }

  function read(topic: string, key: string, value: Uint8Array | null): ReadRecord {
    if (topic === 'pins.v1') {
      const change = decodePinChange(key, value)
      return { lesson: null, fold: () => retrieval.foldPin(change) }
    }
    if (topic === 'engagements.v1') {
      // The updater's tombstone of a user who was erased.
      if (value === null) return { lesson: null, fold: () => retrieval.foldErasure(asId<UserId>(key)) }
      const engagement = decodeEngagement(value)
      return { lesson: retrieval.lessonOf(engagement), fold: () => retrieval.foldEngagement(engagement) }
    }
    const update = embeddingUpdate(key, value)
    const fold = (): void => retrieval.foldEmbeddings([update]).forEach(({ code }) => reject(code))
    return { lesson: null, fold }
  }

  return {
    async fold(batch) {
      const { topic, partition } = batch
      const done = progress.position(topic, partition) ?? 0
      let sinceYield = 0
      while (hindrance() !== null) await hindrance()
      for (const { key, value, position } of batch.records) {
        if (position < done) continue
        const record = orReject(() => read(topic, key, value))
        if (record?.lesson) {
          progress.advance(topic, partition, position)
          await learn(record.lesson)
          while (hindrance() !== null) await hindrance()
        }
        if (record !== null) orReject(record.fold)
        if (++sinceYield === sliceRecords) {
          // A snapshot taken between slices must hold the positions of what it holds.
          progress.advance(topic, partition, position + 1)
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

function embeddingUpdate(key: string, value: Uint8Array | null): EmbeddingUpdate {
  if (value === null) return { pinId: asId<PinId>(key), vector: null }
  const { pinId, vector, space, modelVersion: version, updatedAtMs: atMs } = PinEmbedding.decode(value)
  return {
    pinId: asId<PinId>(pinId),
    vector: float32Column(vector),
    ...(space !== '' && { model: { space, version, atMs } }),
  }
}
