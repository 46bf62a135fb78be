import type { ModelRecord } from '@freshet/domain/model-record'
import { openModelSlot, type ModelSlot } from '@freshet/ranking/model/slot'
import type { ModelSource } from '@freshet/ranking/serving/serving-model'
import { isMissing, isTemporary } from './unread.ts'

/** A model of the registry that is loaded beside the one that serves. */
export interface SideModel {
  readonly record: ModelRecord
  readonly slot: ModelSlot
}

/** Keeps one model beside the serving one in step with the registry: the canary, or the shadow. */
export interface SideModelFollower {
  /** Loads the model that the registry names now, and frees the one before. `again`: also if its artefact was missing. Rejects if it can be read a little later. */
  follow(again: boolean): Promise<void>
  /** null: the registry names none, or it was refused. */
  current(): SideModel | null
  /** Why the model of the registry is not loaded; null: it is, or there is none. */
  refusal(): string | null
  close(): Promise<void>
}

/** Creates a follower of what `named` returns. `onRefused` gets the error of each model that cannot be loaded, once. */
export function createSideModel(options: {
  readonly named: () => ModelRecord | null
  readonly sourceOf: (record: ModelRecord) => ModelSource
  readonly onRefused: (error: Error) => void
}): SideModelFollower {
  const { named, sourceOf, onRefused } = options
  /** The record that was loaded or refused last. */
  let seen: ModelRecord | null = null
  let side: SideModel | null = null
  let refusal: string | null = null
  let isArtefactMissing = false

  async function close(): Promise<void> {
    const old = side
    side = null
    await old?.slot.close()
  }

  return {
    async follow(again) {
      const record = named()
      const before = seen
      seen = record
      const isSame = record !== null && record.version === before?.version && record.sha256 === before.sha256
      if (isSame && !(again && isArtefactMissing)) {
        // At most the share is another one.
        if (side !== null) side = { ...side, record }
        return
      }
      await close()
      const lastRefusal = refusal
      refusal = null
      isArtefactMissing = false
      if (record === null) return
      try {
        side = { record, slot: await openModelSlot(sourceOf(record)) }
      } catch (error) {
        if (isTemporary(error)) {
          seen = null
          throw error
        }
        isArtefactMissing = isMissing(error)
        refusal = `the model ${record.version} was refused as ${record.stage}: ${(error as Error).message}`
        if (refusal !== lastRefusal) onRefused(error as Error)
      }
    },
    current: () => side,
    refusal: () => refusal,
    close,
  }
}
