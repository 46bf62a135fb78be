import type { Plan } from '../plan/plan.ts'

/** Factors above 0 on heads in the utility, by name of head; other heads have the factor 1. */
export type HeadFactors = ReadonlyMap<string, number>

/** Weights of the plan's heads in its utility times their factors, in the order of the heads; 0: the utility does not name the head. */
function utilityWeights({ heads, utility }: Pick<Plan, 'heads' | 'utility'>, factors?: HeadFactors): readonly number[] {
  return heads.map(({ name }) => {
    const weight = utility.reduce((sum, part) => sum + (part.head === name ? part.weight : 0), 0)
    return weight * (factors?.get(name) ?? 1)
  })
}

/** Σ weight · factor · prediction for each row; `predictions`: one array per head. A factor of 1 changes no bit. */
export function utilitiesOf(
  plan: Pick<Plan, 'heads' | 'utility'>,
  predictions: readonly Float64Array[],
  factors?: HeadFactors,
): Float64Array {
  const weights = utilityWeights(plan, factors)
  const utilities = new Float64Array(predictions[0]?.length ?? 0)
  for (const [head, weight] of weights.entries()) {
    const own = predictions[head]!
    for (let row = 0; row < utilities.length; row++) utilities[row]! += weight * own[row]!
  }
  return utilities
}
