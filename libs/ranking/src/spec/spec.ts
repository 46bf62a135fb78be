import { fileURLToPath } from 'node:url'

/** How a feature's number is brought to a scale of about one before it is weighed. */
export type Transform =
  | { readonly kind: 'identity' }
  /** ln(1 + max(0, x)). */
  | { readonly kind: 'log1p' }
  /** ln(1 + x), and −ln(1 − x) below zero: for weights that may speak against something. */
  | { readonly kind: 'signed-log1p' }
  /** ln(max(floor, x)): for probabilities, which count by their ratios. */
  | { readonly kind: 'log'; readonly floor: number }
  /** (x − from) / (to − from), cut to [0, 1]. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }

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

/** A ranking spec: named features, a model per action, and what each action is worth. */
export interface RankingSpec {
  readonly version: string
  readonly features: readonly SpecFeature[]
  readonly models: readonly ActionModel[]
  /** Utility = Σ worth·P(action), in the order of the models. */
  readonly worth: readonly number[]
}

/** The spec that ships with the library: readable weights, chosen by hand. */
export const defaultSpecFile = fileURLToPath(new URL('../../specs/home.json', import.meta.url))

/** A ranking spec that can't be used; `problems` lists every fault. */
class SpecError extends Error {
  readonly code = 'RANKING_SPEC_INVALID'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `the ranking spec has ${problems.length} problem(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    )
    this.name = 'SpecError'
    this.problems = problems
  }
}

/**
 * Reads a spec from JSON text:
 * `{"version", "features": {name: {"transform": "identity" | "log1p" | "signed-log1p" | {"range": [from, to]}}},
 *   "actions": {action: {"worth", "bias", "weights": {feature: weight}}}}`.
 * A feature without a weight weighs nothing. Throws a SpecError that lists every problem.
 */
export function parseSpec(
  text: string,
  known: { readonly features: readonly string[]; readonly actions: readonly string[] },
): RankingSpec {
  const problems: string[] = []
  const root = object(json(text), 'the spec', problems)
  unknownKeys(root, ['version', 'features', 'actions'], '', problems)
  const version = typeof root['version'] === 'string' && root['version'] !== '' ? root['version'] : ''
  if (version === '') problems.push('version is missing; give the spec a name, for example "home-1"')
  const features = Object.entries(object(root['features'], 'features', problems)).map(([name, settings]) => {
    if (!known.features.includes(name))
      problems.push(`features.${name} is not a feature; there are ${known.features.join(', ')}`)
    return { name, transform: transformOf(settings, `features.${name}`, problems) }
  })
  if (features.length === 0) problems.push('features names none')
  const names = features.map(({ name }) => name)
  const models: ActionModel[] = []
  const worth: number[] = []
  for (const [action, settings] of Object.entries(object(root['actions'], 'actions', problems))) {
    const where = `actions.${action}`
    if (!known.actions.includes(action))
      problems.push(`${where} is not an action; there are ${known.actions.join(', ')}`)
    const fields = object(settings, where, problems)
    unknownKeys(fields, ['worth', 'bias', 'weights'], `${where}.`, problems)
    const weights = object(fields['weights'] ?? {}, `${where}.weights`, problems)
    for (const name of Object.keys(weights)) {
      if (!names.includes(name)) problems.push(`${where}.weights.${name} is not among the spec's features`)
    }
    models.push({
      action,
      bias: number(fields['bias'], `${where}.bias`, problems),
      weights: names.map((name) => (name in weights ? number(weights[name], `${where}.weights.${name}`, problems) : 0)),
    })
    worth.push(number(fields['worth'], `${where}.worth`, problems))
  }
  if (models.length === 0) problems.push('actions names none')
  if (problems.length > 0) throw new SpecError(problems)
  return { version, features, models, worth }
}

function transformOf(settings: unknown, where: string, problems: string[]): Transform {
  const transform = object(settings, where, problems)['transform'] ?? 'identity'
  if (transform === 'identity' || transform === 'log1p' || transform === 'signed-log1p') return { kind: transform }
  const log = (transform as { log?: unknown }).log
  if (log !== undefined) {
    const floor = number(log, `${where}.transform.log`, problems)
    if (floor <= 0) problems.push(`${where}.transform.log is ${floor}; give the smallest number that counts, above 0`)
    return { kind: 'log', floor }
  }
  const range = (transform as { range?: unknown }).range
  if (Array.isArray(range) && range.length === 2) {
    const from = number(range[0], `${where}.transform.range[0]`, problems)
    const to = number(range[1], `${where}.transform.range[1]`, problems)
    if (from >= to) problems.push(`${where}.transform.range goes from ${from} to ${to}; give the smaller number first`)
    return { kind: 'range', from, to }
  }
  problems.push(
    `${where}.transform is none of "identity", "log1p", "signed-log1p", {"log": floor}, {"range": [from, to]}`,
  )
  return { kind: 'identity' }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SpecError([`not JSON: ${(error as Error).message}`])
  }
}

function object(value: unknown, where: string, problems: string[]): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  problems.push(`${where} is not an object`)
  return {}
}

function number(value: unknown, where: string, problems: string[]): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  problems.push(`${where} is ${JSON.stringify(value) ?? 'missing'}, not a number`)
  return 0
}

function unknownKeys(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  where: string,
  problems: string[],
): void {
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) problems.push(`${where}${key} is not a setting; there are ${keys.join(', ')}`)
  }
}
