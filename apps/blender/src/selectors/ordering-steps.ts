import { caps } from './caps.ts'
import { diversity } from './diversity.ts'
import { spacing } from './spacing.ts'

/** The steps of the ordering, in their order: soft ones first, then rules. */
export function orderingSteps() {
  return [diversity(), spacing(), caps()] as const
}
