import { decodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { hash32 } from '@freshet/domain/hash'
import type { ModelRecord } from '@freshet/domain/model-record'
import { artefactSource } from '@freshet/ranking/artefact/source'
import { openModelSlot, type ModelSlot } from '@freshet/ranking/model/slot'
import { createModelRegistry } from '@freshet/ranking/registry/registry'
import type { ModelSource, ServingModel } from '@freshet/ranking/serving/serving-model'

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

/** Keeps the models that score in step with the registry in the log. */
export interface ModelFollower {
  /** Takes records of `models.v1` and resolves when the models that they name score, or were refused. */
  fold(batch: LogBatch): Promise<void>
  /** Runs work with the model for this user: the canary for its share of the users, otherwise the serving model. */
  use<Result>(userId: string, work: (model: ServingModel) => Result): Result
  /** Whether the registry names a model. */
  isServingTrained(): boolean
  /** A message that says why a model of the registry does not score; null: all do. */
  refusal(): string | null
  close(): Promise<void>
}

/** Creates a follower; the slot has the built-in model. */
export function createModelFollower(options: ModelFollowerOptions): ModelFollower {
  const { surface, models, artefacts, builtIn, onRefused, onSwapped } = options
  const registry = createModelRegistry()
  /** The newest serving and canary records that were loaded or refused. */
  const seen: { serving: ModelRecord | null; canary: ModelRecord | null } = { serving: null, canary: null }
  const refusals = new Map<'serving' | 'canary', string>()
  let canary: { readonly slot: ModelSlot; readonly record: ModelRecord } | null = null

  const sourceOf = (record: ModelRecord): ModelSource =>
    artefactSource(record, (name) => {
      if (artefacts === null)
        throw new Error(`there is no folder of models; set it to serve ${record.version} of the registry`)
      return artefacts.get(name)
    })

  function refuse(role: 'serving' | 'canary', record: ModelRecord | null, error: unknown): void {
    const still = models.use(({ version }) => version)
    const what = record === null ? 'the built-in model' : `the model ${record.version}`
    refusals.set(role, `${what} was refused, and ${still} continues to serve: ${(error as Error).message}`)
    onRefused(error as Error)
  }

  async function followServing(): Promise<void> {
    const record = registry.serving()
    if (isSame(record, seen.serving)) return
    seen.serving = record
    const before = models.use((model) => model)
    try {
      const model = await models.swap(record === null ? builtIn : sourceOf(record))
      refusals.delete('serving')
      if (model !== before) onSwapped?.(model)
    } catch (error) {
      refuse('serving', record, error)
    }
  }

  async function followCanary(): Promise<void> {
    const record = registry.canary()
    if (isSame(record, seen.canary)) return
    seen.canary = record
    const old = canary
    canary = null
    await old?.slot.close()
    refusals.delete('canary')
    if (record === null) return
    try {
      canary = { record, slot: await openModelSlot(sourceOf(record)) }
    } catch (error) {
      refuse('canary', record, error)
    }
  }

  return {
    async fold({ records }) {
      for (const { key, value } of records) {
        try {
          const { version, record, ...found } = decodeModelRecord(key, value)
          if (found.surface === surface) registry.fold(version, record)
        } catch (error) {
          onRefused(error as Error)
        }
      }
      await followServing()
      await followCanary()
    },
    use(userId, work) {
      if (canary !== null && shareOf(userId, canary.record.version) < canary.record.share) return canary.slot.use(work)
      return models.use(work)
    },
    isServingTrained: () => registry.serving() !== null,
    refusal: () => [...refusals.values()].join('; ') || null,
    async close() {
      await canary?.slot.close()
    },
  }
}

function isSame(a: ModelRecord | null, b: ModelRecord | null): boolean {
  return a?.version === b?.version && a?.sha256 === b?.sha256 && a?.share === b?.share
}

/** A user's place in [0, 1), another one for each version, so that the same users are not the canaries of every model. */
function shareOf(userId: string, version: string): number {
  return hash32(`${version}/${userId}`) / 2 ** 32
}
