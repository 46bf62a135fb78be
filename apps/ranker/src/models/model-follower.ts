import { decodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { hash32 } from '@freshet/domain/hash'
import type { ModelRecord } from '@freshet/domain/model-record'
import { artefactSource } from '@freshet/ranking/artefact/source'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import { createModelRegistry } from '@freshet/ranking/registry/registry'
import type { ModelSource, ServingModel } from '@freshet/ranking/serving/serving-model'
import { createSideModel, type SideModel } from './side-model.ts'
import { isMissing, isTemporary } from './unread.ts'

/** What a follower works with. */
export interface ModelFollowerOptions {
  readonly surface: string
  /** The slot of the model that serves. */
  readonly models: ModelSlot
  /** Where the artefacts are; null: nowhere, the built-in model serves. */
  readonly artefacts: Pick<ArtefactStore, 'get'> | null
  /** The model that serves while the registry names none. */
  readonly builtIn: ModelSource
  /** Called once for each model that cannot serve. The previous one continues to serve. */
  readonly onRefused: (error: Error) => void
  readonly onSwapped?: (model: ServingModel) => void
}

/** Which model a request asks for. */
export interface WantedModel {
  readonly userId: string
  /** '': the user decides. */
  readonly modelVersion: string
}

/** Keeps the models that score in step with the registry in the log. */
export interface ModelFollower {
  /**
   * Takes records of `models.v1` and resolves when the models that they name score, or were refused. Rejects when an artefact cannot be
   * read now but perhaps later: the reader delivers the batch again.
   */
  fold(batch: LogBatch, signal?: AbortSignal): Promise<void>
  /** Looks again for artefacts that were missing. */
  retryMissing(signal?: AbortSignal): Promise<void>
  /**
   * Runs work with the model `modelVersion` if it is serving, canary or shadow. Otherwise with the model for this user: the canary
   * for its share of the users, else the serving model.
   */
  use<Result>(wanted: WantedModel, work: (model: ServingModel) => Result): Result
  /** Runs work with the model of exactly this version and plan if it is serving, canary or shadow; null: it is not held. */
  useHeld<Result>(version: string, plan: string, work: (model: ServingModel) => Result): Result | null
  /** The models of the registry. */
  records(): readonly ModelRecord[]
  /** The model that scores a share of the requests without being shown; null: none. */
  shadow(): SideModel | null
  /** Whether the registry names a model. */
  isServingTrained(): boolean
  /** A message that says why a model of the registry does not score; null: all do. */
  refusal(): string | null
  /** Number of models that the registry names as serving, canary or shadow and that do not score. */
  refused(): number
  close(): Promise<void>
}

/** Creates a follower; the slot has the built-in model. */
export function createModelFollower(options: ModelFollowerOptions): ModelFollower {
  const { surface, models, artefacts, builtIn, onRefused, onSwapped } = options
  const registry = createModelRegistry()
  /** The newest serving record that was loaded or refused. */
  let seen: ModelRecord | null = null
  let refusal: string | null = null
  let isArtefactMissing = false
  /** Ends the reading of artefacts. */
  let reading: AbortSignal | undefined
  let turn: Promise<void> = Promise.resolve()

  const sourceOf = (record: ModelRecord): ModelSource =>
    artefactSource(record, (name) => {
      if (artefacts === null)
        throw new Error(`no store of models is configured; set one to serve ${record.version} of the registry`)
      return artefacts.get(name, reading === undefined ? {} : { signal: reading })
    })
  const canary = createSideModel({ named: () => registry.canary(), sourceOf, onRefused })
  const shadow = createSideModel({ named: () => registry.shadow(), sourceOf, onRefused })

  /** The slot of the model of this version; null: it is not held. */
  function slotOf(version: string): ModelSlot | null {
    const slots = [models, canary.current()?.slot, shadow.current()?.slot]
    return slots.find((slot) => slot?.use((model) => model.version === version)) ?? null
  }

  async function followServing(again: boolean): Promise<void> {
    const record = registry.serving()
    const isSame = record?.version === seen?.version && record?.sha256 === seen?.sha256
    if (isSame && !(again && isArtefactMissing)) return
    const lastSeen = seen
    const lastRefusal = refusal
    seen = record
    const before = models.use((model) => model)
    try {
      const model = await models.swap(record === null ? builtIn : sourceOf(record))
      refusal = null
      isArtefactMissing = false
      if (model !== before) onSwapped?.(model)
    } catch (error) {
      if (isTemporary(error) || reading?.aborted === true) {
        seen = lastSeen
        throw error
      }
      isArtefactMissing = isMissing(error)
      const what = record === null ? 'the built-in model' : `the model ${record.version}`
      refusal = `${what} was refused, and ${before.version} continues to serve: ${(error as Error).message}`
      if (refusal !== lastRefusal) onRefused(error as Error)
    }
  }

  /** Brings the models in step with the registry, one call after the other. */
  function follow(again: boolean, signal: AbortSignal | undefined): Promise<void> {
    const done = turn.then(async () => {
      reading = signal
      await followServing(again)
      await canary.follow(again)
      await shadow.follow(again)
    })
    turn = done.catch(() => undefined)
    return done
  }

  return {
    async fold({ records }, signal) {
      for (const { key, value } of records) {
        try {
          const { version, record, ...found } = decodeModelRecord(key, value)
          if (found.surface === surface) registry.fold(version, record)
        } catch (error) {
          onRefused(error as Error)
        }
      }
      await follow(false, signal)
    },
    retryMissing: (signal) => follow(true, signal),
    use({ userId, modelVersion }, work) {
      const held = modelVersion === '' ? null : slotOf(modelVersion)
      if (held !== null) return held.use(work)
      const side = canary.current()
      if (side !== null && shareOf(userId, side.record.version) < side.record.share) return side.slot.use(work)
      return models.use(work)
    },
    useHeld(version, plan, work) {
      const slots = [models, canary.current()?.slot, shadow.current()?.slot]
      const isWanted = (model: ServingModel): boolean => model.version === version && model.planVersion === plan
      return slots.find((slot) => slot?.use(isWanted))?.use(work) ?? null
    },
    records: () => registry.models(),
    shadow: () => shadow.current(),
    isServingTrained: () => registry.serving() !== null,
    refusal: () => [refusal, canary.refusal(), shadow.refusal()].filter((text) => text !== null).join('; ') || null,
    refused: () => [refusal, canary.refusal(), shadow.refusal()].filter((text) => text !== null).length,
    async close() {
      await turn
      await canary.close()
      await shadow.close()
    },
  }
}

/** A user's place in [0, 1), another one for each version, so that the same users are not the canaries of every model. */
function shareOf(userId: string, version: string): number {
  return hash32(`${version}/${userId}`) / 2 ** 32
}
