import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { LinearPrior } from '@freshet/ranking/training/newton-learner'
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

/**
 * What a base says before any row: its weights, with the evidence of the rows that it learned. That of a probability is their Fisher
 * information about the weight of a number with deviation 1 that depends on no other, n · p · (1 − p); that of an amount is n.
 */
export function believed({ model: { plan, parameters }, manifest }: ModelArtefact): Omit<LinearPrior, 'precision'> {
  const evidence = plan.heads.map(({ name, kind }): [string, number] => {
    const p = kind === 'amount' ? null : (manifest.meanPredictions?.[name] ?? 0)
    return [name, manifest.trainingRows * (p === null ? 1 : p * (1 - p))]
  })
  return { means: parameters.weights, evidence: new Map(evidence) }
}
