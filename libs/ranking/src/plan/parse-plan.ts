import type { TransformCatalogue } from '../transforms/catalogue.ts'
import { checkPlan } from './check-plan.ts'
import { PlanError } from './plan-error.ts'
import type { Plan } from './plan.ts'
import { planSchema } from './plan-schema.ts'

/** A plan from its JSON text. Throws a PlanError (`PLAN_INVALID`) that lists every problem; `name` names the plan in it. */
export function parsePlan(text: string, catalogue: TransformCatalogue, name = 'a model'): Plan {
  const { data, error } = planSchema.safeParse(parseJson(text, name))
  if (error !== undefined) {
    const problems = error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'the plan' : path.map(String).join('.')}: ${message}`,
    )
    throw new PlanError('PLAN_INVALID', name, problems)
  }
  const problems = checkPlan(data, catalogue)
  if (problems.length > 0) throw new PlanError('PLAN_INVALID', name, problems)
  return data
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new PlanError('PLAN_INVALID', name, [`is not JSON: ${(error as Error).message}`])
  }
}
