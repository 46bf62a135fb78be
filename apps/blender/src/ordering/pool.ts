import type { Classes } from '@freshet/ordering/classes'
import { placementOf, type Placement } from '@freshet/ordering/placement'
import { spreadOf } from '@freshet/ordering/spread'
import type { BlockVectors } from '@freshet/ordering/vectors'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'
import { pickFloats } from '../pick.ts'
import { chancesOf } from './chances.ts'
import { candidateVectors } from './candidate-vectors.ts'
import type { Notes } from './notes.ts'
import { pinsAbove } from './pins-above.ts'
import { classesOfKind, poolPins, type ClassKind, type OrderingViews, type PoolPins } from './candidate-classes.ts'

/** The best pins of a request, which the steps of the ordering order. Its candidates are numbers from 0 in the order of utility. */
export interface Pool {
  readonly pins: PoolPins
  /** The pins above the page, from the highest to the lowest place: numbers behind those of the candidates. Steps place them first. */
  readonly above: Uint16Array
  /** Number of places that the steps fill. */
  readonly places: number
  /** Standard deviation of the utilities, the unit of the weights of steps. */
  readonly spread: number
  /** Computed when a step first asks. */
  classes(kind: ClassKind): Classes
  /** The vectors of some candidates and pins above, one row for each. */
  vectors(candidates: Uint16Array): BlockVectors
  /** By candidate: the probability of an action as the ranker predicts it, or `otherwise` if it does not. */
  chances(action: string, otherwise: number): Float32Array
}

/** What the steps of the ordering made of the pool so far. */
export interface Ordered {
  readonly pool: Pool
  readonly placement: Placement
  readonly steps: readonly OrderingStep[]
  /** How the order was drawn; null: it was not. */
  readonly draw: Draw | null
}

/** An order drawn at random. */
export interface Draw {
  /** By place: the probability of its candidate, given those above it. */
  readonly propensities: Float64Array
  /** By candidate: the utility by which it was drawn. */
  readonly values: Float32Array
  /** By candidate: the place from which on the caps kept it out. Holds for the first `steadyPlaces`. */
  readonly keptOutFrom: Uint16Array
  readonly steadyPlaces: number
  /** In the unit of utility. */
  readonly temperature: number
  /** Whether no cap could keep a candidate from a place. */
  readonly isFree: boolean
}

/** What a step did: the change in the utility by which each candidate of the pool is placed. */
export interface OrderingStep {
  readonly step: string
  readonly added: Float32Array
  /** null: it notes nothing. */
  readonly notes: Notes | null
}

/** The columns of the ordering; null: nothing is ordered. */
export interface OrderedColumns {
  readonly ordered: Ordered | null
}

/** The pool of some rows, in order of utility, best first. */
export function poolOf(
  request: Pick<FeedRequest, 'params' | 'pageSize' | 'page'> & Pick<UserContext, 'served'>,
  columns: CandidateColumns & ScoreColumns & Partial<ExplorationColumns>,
  { rows, views }: { readonly rows: Int32Array; readonly views: OrderingViews },
): Ordered {
  const { pageSize } = request
  const { ordering } = request.params
  const above = pinsAbove(request)
  const pins = poolPins(columns, { rows, above }, views)
  const { utilities, exploration } = columns
  const values = pickFloats(utilities, rows)
  if (exploration != null)
    for (let i = 0; i < rows.length; i++) values[i] = utilities[rows[i]!]! + exploration[rows[i]!]!
  const known = new Map<ClassKind, Classes>()
  const pool: Pool = {
    pins,
    above: Uint16Array.from(above.lows.keys(), (at) => rows.length + at),
    // The position of the page plays no part, so all pages of a dry run come from one order.
    places: Math.min(rows.length, Math.ceil(pageSize * ordering.pages) + ordering.lookAhead),
    spread: spreadOf(values),
    classes(kind) {
      const classes = known.get(kind) ?? classesOfKind(kind, pins, views)
      known.set(kind, classes)
      return classes
    },
    vectors: (candidates) => candidateVectors(pins, candidates, views),
    chances: (action, otherwise) => chancesOf(rows, columns.ranked, { action, otherwise }),
  }
  return { pool, placement: placementOf(values), steps: [], draw: null }
}
