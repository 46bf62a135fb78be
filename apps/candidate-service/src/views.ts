import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import { decodeBoardChange } from '@freshet/contracts/codecs/board'
import { decodeCreatorChange } from '@freshet/contracts/codecs/creator'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { float32Column } from '@freshet/contracts/bytes/columns'
import type { TopicName } from '@freshet/contracts/topics'
import type { BoardChange } from '@freshet/domain/board'
import type { CreatorChange } from '@freshet/domain/creator'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import type { TrainingExample } from '@freshet/retrieval/merge/merge-learner'
import type { EmbeddingUpdate, Retrieval } from '@freshet/retrieval/retrieval'

/** The topics that the views fold. */
export const viewTopics = [
  'pins.v1',
  'creators.v1',
  'boards.v1',
  'engagements.v1',
  'pin-embeddings.v1',
] as const satisfies readonly TopicName[]

/** Folds batches of the log into the retrieval views, in slices. */
export interface Views {
  /** Folds a batch. It skips positions that are already folded, so a batch may come again. It pauses every `sliceRecords` records. */
  fold(batch: LogBatch): Promise<void>
  /** Stops folds, even in the middle of a batch, until the caller calls the returned function. */
  hold(): () => void
  /** The positions folded so far, and the requests that wait for positions. */
  readonly progress: LogProgress
  /** Records that could not be decoded or folded or do not count, by reason. */
  rejected(): Readonly<Record<string, number>>
}

/** A decoded record: what the merge of a shard learns from it first, and how to fold it then. */
interface ReadRecord {
  readonly example: TrainingExample | null
  readonly fold: () => void
}

/** What the views are made from. */
export interface ViewsOptions {
  readonly retrieval: Retrieval
  readonly sliceRecords: number
  /** Maximum number of pins whose versions are kept, see `PinVersions`. */
  readonly maxVersions: number
  /** Lets waiting requests run between slices. */
  readonly pause: () => Promise<void>
  /** Learns from a record of a shard's user before it is folded. Must not reject. */
  readonly learn: (example: TrainingExample) => Promise<void>
}

/** Creates views over a Retrieval. */
export function createViews({ retrieval, sliceRecords, maxVersions, pause, learn }: ViewsOptions): Views {
  const progress = createLogProgress()
  const versions = createPinVersions({ maxVersions })
  const entryVersions = {
    'creators.v1': createPinVersions({ maxVersions, topic: 'creators.v1' }),
    'boards.v1': createPinVersions({ maxVersions, topic: 'boards.v1' }),
  }
  progress.attach('pin-versions', versions)
  progress.attach('creator-versions', entryVersions['creators.v1'])
  progress.attach('board-versions', entryVersions['boards.v1'])
  const rejected = new Map<string, number>()

  let held: Promise<void> | null = null
  const hindrance = (): Promise<void> | null => held

  function reject(reason: string): void {
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
  }

  // An unusable record must not stop the views. They count it; the feature updater writes it to the dead letters.
  function orReject<Result>(work: () => Result): Result | null {
    try {
      return work()
    } catch (error) {
      reject(isContractError(error) ? error.code : ((error as { code?: string }).code ?? 'FOLD_FAILED'))
      return null
    }
  }

  const creatorFold = (change: CreatorChange) => (): void => retrieval.foldCreator(change)
  const boardFold = (change: BoardChange) => (): void => retrieval.foldBoard(change)

  /** null: the record does not count. */
  function read(topic: string, key: string, value: Uint8Array | null): ReadRecord | null {
    if (topic === 'pins.v1') {
      const change = decodePinChange(key, value)
      if (!versions.acceptChange(change)) {
        reject('PIN_STALE')
        return null
      }
      return { example: null, fold: () => retrieval.foldPin(change) }
    }
    if (topic === 'creators.v1' || topic === 'boards.v1') {
      const fold =
        topic === 'creators.v1'
          ? creatorFold(decodeCreatorChange(key, value))
          : boardFold(decodeBoardChange(key, value))
      if (entryVersions[topic].accept({ key, value })) return { example: null, fold }
      reject('ENTRY_STALE')
      return null
    }
    if (topic === 'engagements.v1') {
      // The feature updater writes a tombstone for an erased user.
      if (value === null) return { example: null, fold: () => retrieval.foldErasure(asId<UserId>(key)) }
      // The views keep merged users apart: they describe pins, and a user's own actions come with each request.
      if (isUserMerge(value)) return { example: null, fold: () => undefined }
      const engagement = decodeEngagement(value)
      return { example: retrieval.trainingExample(engagement), fold: () => retrieval.foldEngagement(engagement) }
    }
    const update = embeddingUpdate(key, value)
    const fold = (): void => retrieval.foldEmbeddings([update]).forEach(({ code }) => reject(code))
    return { example: null, fold }
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
        if (record?.example) {
          progress.advance(topic, partition, position)
          await learn(record.example)
          while (hindrance() !== null) await hindrance()
        }
        if (record !== null) orReject(record.fold)
        if (++sinceYield === sliceRecords) {
          // A snapshot may be taken during the pause: its positions must match what is folded.
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
