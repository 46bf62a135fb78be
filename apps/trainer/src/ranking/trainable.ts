import { dirname } from 'node:path'
import type { Weights } from '@freshet/ranking/model/trained-model'
import { loadSpec } from '@freshet/ranking/model/spec-file'
import { hashOfPlan, type Plan } from '@freshet/ranking/plan/plan'
import { linearParameters, planOfSpec } from '@freshet/ranking/spec/plan-of-spec'
import { defaultSpecFile, type RankingSpec } from '@freshet/ranking/spec/spec'

/** A spec as the trainer learns it. */
export interface Trainable {
  readonly plan: Plan
  readonly planHash: string
  /** The spec as its author wrote it. */
  readonly specText: string
  /** The folder of the spec: paths of files in it are relative to that. */
  readonly folder: string
  /** Weights that are believed before any row; absent ones are 0. */
  readonly priorMeans: ReadonlyMap<string, Weights>
}

/**
 * Reads the file of a spec; null: the one that ships with the library. The weights of a spec in JSON are its prior. Throws what
 * `loadSpec` throws.
 */
export async function loadTrainable(file: string | null, surface: string): Promise<Trainable> {
  const loaded = await loadSpec(file)
  const plan = loaded.kind === 'json' ? planOfSpec(loaded.spec, surface) : loaded.plan
  const priorMeans = loaded.kind === 'json' ? priorOf(loaded.spec) : new Map<string, Weights>()
  return {
    plan,
    planHash: hashOfPlan(plan),
    specText: loaded.text,
    folder: dirname(file ?? defaultSpecFile),
    priorMeans,
  }
}

/** The weights that the spec gives; the position, which comes last, has none. */
function priorOf({ models }: RankingSpec): ReadonlyMap<string, Weights> {
  return linearParameters(models.map(({ weights, ...model }) => ({ ...model, weights: [...weights, 0] }))).weights
}
