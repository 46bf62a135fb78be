import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { ModelReader } from './model-reader.ts'

/** The search for a base ends after this many models, each the parent of the one before. */
const maxAncestors = 50

/**
 * The base of a training: the newest of the serving model and its ancestors that learned only from rows older than the window. The
 * window does not contain what it knows, so its weights are what is believed before the rows of the window. null: there is none, or
 * it cannot be loaded.
 */
export async function findBase(
  serving: ModelArtefact | null,
  windowFromMs: number,
  read: ModelReader,
): Promise<ModelArtefact | null> {
  let model = serving
  for (let ancestors = 0; model !== null && ancestors < maxAncestors; ancestors++) {
    if (model.manifest.dataToMs < windowFromMs) return model
    const { parentVersion, planHash } = model.manifest
    const parent: ModelArtefact | null = parentVersion === null ? null : await read(parentVersion)
    model = parent?.manifest.planHash === planHash ? parent : null
  }
  return null
}
