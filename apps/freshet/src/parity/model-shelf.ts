import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { artefactSource } from '@freshet/ranking/artefact/source'
import { openModelSlot, type ModelSlot } from '@freshet/ranking/model/slot'
import type { ModelRegistry } from '@freshet/ranking/registry/registry'
import type { ModelSource, ServingModel } from '@freshet/ranking/serving/serving-model'

/** Where models come from. */
export interface ModelShelfOptions {
  readonly registries: ReadonlyMap<string, ModelRegistry>
  readonly artefacts: Pick<ArtefactStore, 'get'>
  /** Models that are not in a registry, for example of the ranker's spec. */
  readonly specs: readonly ModelSource[]
  /** At most this many models are in memory; the least recently used one goes first. */
  readonly maxLoaded: number
}

/** The models that scored feeds. */
export interface ModelShelf {
  /** Runs work with the model of this version and this hash of its plan, or resolves to why there is none. */
  use<Result>(
    version: string,
    plan: string,
    work: (model: ServingModel) => Result,
  ): Promise<Result | { readonly missing: string }>
  close(): Promise<void>
}

type Found = ModelSlot | { readonly missing: string }

/** Loads models when they are first needed. */
export function createModelShelf(options: ModelShelfOptions): ModelShelf {
  const { registries, artefacts, specs, maxLoaded } = options
  const shelf = new Map<string, Promise<Found>>()

  async function load(version: string, plan: string): Promise<Found> {
    const records = [...registries.values()].flatMap((registry) => registry.models())
    const record = records.find((each) => each.version === version && each.planHash === plan)
    try {
      if (record !== undefined) return await openModelSlot(artefactSource(record, (name) => artefacts.get(name)))
      for (const spec of specs) {
        const slot = await openModelSlot(spec)
        if (slot.use((model) => model.version === version && model.planVersion === plan)) return slot
        await slot.close()
      }
    } catch (error) {
      return { missing: `the model ${version} cannot be loaded: ${(error as Error).message}` }
    }
    return { missing: `neither the registry nor a given spec has the model ${version} with the plan ${plan}` }
  }

  async function makeRoom(): Promise<void> {
    const [oldest] = shelf
    if (shelf.size < maxLoaded || oldest === undefined) return
    shelf.delete(oldest[0])
    await closeSlot(await oldest[1])
  }

  return {
    async use(version, plan, work) {
      const key = `${version}\n${plan}`
      let found = shelf.get(key)
      if (found === undefined) {
        await makeRoom()
        found = load(version, plan)
      }
      shelf.delete(key)
      shelf.set(key, found)
      const slot = await found
      return 'missing' in slot ? slot : slot.use(work)
    },
    async close() {
      for (const found of shelf.values()) await closeSlot(await found)
      shelf.clear()
    },
  }
}

async function closeSlot(found: Found): Promise<void> {
  if (!('missing' in found)) await found.close()
}
