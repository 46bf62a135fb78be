import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Transform } from './transforms/catalogue.ts'

/** A feature as the spec uses it. */
export interface SpecFeature {
  readonly name: string
  readonly transform: Transform
}

/** Logistic regression for one action: P(action) = 1 / (1 + e^−(bias + Σ weight·feature)). */
export interface ActionModel {
  readonly action: string
  readonly bias: number
  /** In the order of the spec's features. */
  readonly weights: readonly number[]
}

/** A ranking spec: named features, a model per action, and the worth of each action. */
export interface RankingSpec {
  readonly version: string
  readonly features: readonly SpecFeature[]
  readonly models: readonly ActionModel[]
  /** Utility = Σ worth·P(action), in the order of the models. */
  readonly worth: readonly number[]
  /** Standard deviation of the utility of a trained model: Σ weight · feature, unscaled. Empty: no exploration. */
  readonly exploration: readonly { readonly feature: string; readonly weight: number }[]
}

/** The spec that ships with the library, in the ranking language. It ranks in retrieval order; its trained models begin there. */
export const defaultSpecFile = fileURLToPath(new URL('../../specs/home.rank', import.meta.url))
/** The same model as a spec in JSON, with weights from which it can rank before any training. */
export const jsonSpecFile = fileURLToPath(new URL('../../specs/home.json', import.meta.url))

/** Hashes the content of a spec: 16 hexadecimal digits of the SHA-256 of its canonical JSON, without its name. Formatting and the order of keys do not matter. */
export function hashPlan({ features, models, worth }: RankingSpec): string {
  return createHash('sha256').update(canonicalJson({ features, models, worth })).digest('hex').slice(0, 16)
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
