import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { ModelManifest } from '@freshet/ranking/artefact/manifest'
import type { Column } from '@freshet/ranking/plan/column'
import type { Plan } from '@freshet/ranking/plan/plan'
import type { Evidence, LinearPrior } from '@freshet/ranking/training/newton-learner'
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
  const precisions = plan.heads.map(({ name, kind }): [string, number] => {
    const p = kind === 'amount' ? null : (manifest.meanPredictions?.[name] ?? 0)
    return [name, manifest.trainingRows * (p === null ? 1 : p * (1 - p))]
  })
  const typical = typicalRows(plan, manifest)
  return {
    means: parameters.weights,
    ...(typical !== null && { evidence: { precisions: new Map(precisions), typical } }),
  }
}

/** Eleven rows: the quantiles of each input. null: an input is not a number, or the manifest has no quantiles of it. */
function typicalRows({ inputs }: Plan, manifest: ModelManifest): Evidence['typical'] | null {
  const rows = 11
  const columns = new Map<string, Column>()
  for (const { name, type } of inputs) {
    if (type.kind !== 'scalar' && type.kind !== 'vector') return null
    const width = type.kind === 'scalar' ? 1 : type.size
    const values = new Float32Array(rows * width)
    for (let part = 0; part < width; part++) {
      const quantiles = manifest.inputs[width === 1 ? name : `${name}.${part}`]?.quantiles ?? []
      if (quantiles.length !== rows) return null
      for (const [row, value] of quantiles.entries()) values[row * width + part] = value
    }
    columns.set(name, { kind: 'numbers', rows, width, values })
  }
  return { rows, inputs: columns }
}
