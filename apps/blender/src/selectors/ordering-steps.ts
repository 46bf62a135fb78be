import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { caps } from './caps.ts'
import { diversity } from './diversity.ts'
import { fatigue } from './fatigue.ts'
import { freshFloor } from './fresh-floor.ts'
import { mixing } from './mixing.ts'
import { spacing } from './spacing.ts'

/** The steps of the ordering that need no chance, in their order: soft ones first, then rules. */
export function orderingSteps(views: OrderingViews) {
  return [fatigue(views), diversity(), spacing(), caps(), mixing(), freshFloor(views)] as const
}
