import type { Plan } from '../plan/plan.ts'

/** Weights of the plan's heads in its utility, in the order of the heads; 0: the utility does not name the head. */
function utilityWeights({ heads, utility }: Pick<Plan, 'heads' | 'utility'>): readonly number[] {
  return heads.map(({ name }) => utility.reduce((sum, { head, weight }) => sum + (head === name ? weight : 0), 0))
}

/** Σ weight · prediction for each row; `predictions`: one array per head. */
export function utilitiesOf(plan: Pick<Plan, 'heads' | 'utility'>, predictions: readonly Float64Array[]): Float64Array {
  const weights = utilityWeights(plan)
  const utilities = new Float64Array(predictions[0]?.length ?? 0)
  for (const [head, weight] of weights.entries()) {
    const own = predictions[head]!
    for (let row = 0; row < utilities.length; row++) utilities[row]! += weight * own[row]!
  }
  return utilities
}
