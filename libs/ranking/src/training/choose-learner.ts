import type { Plan } from '../plan/plan.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { createGradientLearner, type GradientLearnerOptions } from './gradient-learner.ts'
import type { Learner } from './learner.ts'
import { linearPartsOf } from './linear-parts.ts'
import { createNewtonLearner, isDense, type LinearPrior, type NewtonLearnerOptions } from './newton-learner.ts'
import { createSparseLinearLearner } from './sparse-linear-learner.ts'

/** What Newton's method needs beyond the rows. */
export interface NewtonSettings {
  /** Default: weights of 0 with a precision of 1. */
  readonly prior?: LinearPrior
  /** Default: 30. */
  readonly maxSteps?: number
}

/** The one learner that fits the plan. */
export function createLearner(
  given: GradientLearnerOptions,
  { prior, typical = null, maxSteps = 30 }: NewtonSettings & { readonly typical?: NewtonLearnerOptions['typical'] },
): Learner {
  const parts = linearPartsOf(given.plan, given.program)
  if (parts === null) return createGradientLearner(given)
  if (!isDense(parts, given.program)) return createSparseLinearLearner({ ...given, parts })
  return createNewtonLearner({ ...given, parts, typical, prior: prior ?? { means: new Map(), precision: 1 }, maxSteps })
}

/** Whether Newton's method learns the plan, so that the rows alone decide its weights and no epoch has to be the last. */
export function isLearnedExactly(plan: Plan): boolean {
  const program = compileTensorProgram(plan)
  const parts = linearPartsOf(plan, program)
  return parts !== null && isDense(parts, program)
}
