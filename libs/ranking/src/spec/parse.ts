import { shapeProblems, SpecError, unknownName } from './problems.ts'
import { specSchema } from './schema.ts'
import type { RankingSpec } from './spec.ts'

/** Names that a spec may use. */
export interface SpecNames {
  readonly features: readonly string[]
  readonly actions: readonly string[]
}

/**
 * Reads a spec from JSON text; `describeSpec` lists its fields. A feature without a weight has weight 0.
 * Throws a SpecError that lists every problem; `file` names the spec in it.
 */
export function parseSpec(text: string, known: SpecNames, file?: string): RankingSpec {
  const given = parseJson(text, file)
  const problems = [...shapeProblems(given), ...nameProblems(given, known)]
  if (problems.length > 0) throw new SpecError(problems, file)
  const { version, features, actions, exploration } = specSchema.parse(given)
  const names = Object.keys(features)
  return {
    version,
    features: Object.entries(features).map(([name, { transform }]) => ({ name, transform })),
    models: Object.entries(actions).map(([action, { bias, weights }]) => ({
      action,
      bias,
      weights: names.map((name) => weights[name] ?? 0),
    })),
    worth: Object.values(actions).map(({ worth }) => worth),
    exploration: Object.entries(exploration).map(([feature, weight]) => ({ feature, weight })),
  }
}

function parseJson(text: string, file: string | undefined): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SpecError([`not JSON: ${(error as Error).message}`], file)
  }
}

/** Finds unknown features, actions and weights. It checks every part that has the right shape, so that the error lists all problems. */
function nameProblems(given: unknown, known: SpecNames): readonly string[] {
  const { features, actions, exploration } = asFields(given)
  const names = Object.keys(asFields(features))
  const problems = names
    .filter((name) => !known.features.includes(name))
    .map((name) => unknownName(`features.${name}`, 'a feature', name, known.features))
  if (isObject(features) && names.length === 0) problems.push('features is empty; name at least one feature')
  for (const [action, settings] of Object.entries(asFields(actions))) {
    if (!known.actions.includes(action))
      problems.push(unknownName(`actions.${action}`, 'an action', action, known.actions))
    for (const name of Object.keys(asFields(asFields(settings)['weights'])))
      if (!names.includes(name))
        problems.push(unknownName(`actions.${action}.weights.${name}`, "among the spec's features", name, names))
  }
  for (const name of Object.keys(asFields(exploration)))
    if (!names.includes(name))
      problems.push(unknownName(`exploration.${name}`, "among the spec's features", name, names))
  if (isObject(actions) && Object.keys(actions).length === 0)
    problems.push('actions is empty; name at least one action')
  return problems
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}
