import { float32Column, uint16Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { LoggedDraw } from '@freshet/experiments/off-policy/redraw'

/** A feed whose order was drawn, as its record has it. */
export interface DrawnFeed {
  readonly feedId: string
  readonly userId: string
  readonly pinIds: readonly string[]
  readonly draw: LoggedDraw
  /** By position: the probability of the pin at its position, whatever is above it; null: not known. */
  readonly places: Float64Array | null
  /** Predictions by head, in the order of the pins. */
  readonly predictions: ReadonlyMap<string, Float64Array>
  /** The same of the candidates that could be drawn but are not on the page; empty: not known. */
  readonly restPredictions: ReadonlyMap<string, Float64Array>
}

/** A drawn feed with what the user did, by position. */
export interface RewardedFeed {
  readonly feed: DrawnFeed
  readonly rewards: Float64Array
}

/** Why a drawn feed cannot be judged. */
export type DrawnFeedProblem = 'not-whole' | 'values-unknown' | 'damaged'

/** The stage after the draw: what it left out could have been drawn. */
const stageAfterDraw = 'page'

/** Reads the draw of a feed; null: its order was not drawn, or it has no user. */
export function drawnFeedOf(served: FeedServed): DrawnFeed | DrawnFeedProblem | null {
  const { draw, feedId, userId, pinIds, utilities, propensities } = served
  if (draw === undefined || userId === '') return null
  const steps = doubles(propensities)
  const values = doubles(utilities)
  if (steps.length !== pinIds.length || values.length !== pinIds.length) return 'damaged'
  if (!(draw.temperature > 0)) return 'damaged'
  // The page is not the beginning of the drawn order.
  if (steps.some((step) => !(step > 0 && step <= 1))) return 'not-whole'
  addBeforeDraw(served, values)
  if (values.some((value) => !Number.isFinite(value))) return 'values-unknown'
  const places = doubles(draw.positionPropensities)
  const isPlaced = places.length === pinIds.length && places.every((place) => place > 0 && place <= 1)
  return {
    ...{ feedId, userId, pinIds },
    draw: {
      ...{ values, steps, temperature: draw.temperature },
      restCount: Math.max(0, draw.candidates - pinIds.length),
      rest: restOf(served),
    },
    places: isPlaced ? places : null,
    restPredictions: restPredictionsOf(served),
    predictions: new Map([
      ...columnsOf(served.actions, served.probabilities, pinIds.length),
      ...columnsOf(served.amountNames, served.amounts, pinIds.length),
    ]),
  }
}

/** Adds what exploration and the steps before the draw added to the utilities. */
function addBeforeDraw({ exploration, ordering }: FeedServed, values: Float64Array): void {
  const at = ordering.findIndex(({ step }) => step === 'draw')
  const before = at < 0 ? ordering : ordering.slice(0, at)
  for (const bytes of [exploration, ...before.map(({ added }) => added)])
    for (const [place, added] of float32Column(bytes).entries()) values[place]! += added
}

/** The candidates that could be drawn but are not on the page. Older records have only a sample. */
function restOf(served: FeedServed): LoggedDraw['rest'] {
  const values = doubles(served.draw!.restUtilities)
  if (values.length === 0) return sampledRest(served)
  const keptOutFrom = uint16Column(served.draw!.restKeptOutFrom)
  return {
    values,
    counts: new Float64Array(values.length).fill(1),
    keptOutFrom: keptOutFrom.length === values.length ? keptOutFrom : null,
  }
}

/** The sampled candidates that were drawn below the page, each with the number of candidates for which it stands. */
function sampledRest({ unshown }: FeedServed): LoggedDraw['rest'] {
  const values: number[] = []
  const counts: number[] = []
  const utilities = float32Column(unshown?.utilities ?? new Uint8Array(0))
  const reasons = unshown?.reasonIndices ?? new Uint8Array(0)
  for (const [row, value] of utilities.entries()) {
    const reason = unshown?.reasons[reasons[row] ?? -1]
    if (reason === undefined || reason.stage !== stageAfterDraw || !Number.isFinite(value)) continue
    values.push(value)
    counts.push(reason.candidates / Math.max(1, reason.sampled))
  }
  return { values: Float64Array.from(values), counts: Float64Array.from(counts), keptOutFrom: null }
}

function restPredictionsOf({ draw, actions, amountNames }: FeedServed): DrawnFeed['restPredictions'] {
  const { restUtilities, restPredictions } = draw!
  const names = [...actions, ...amountNames]
  if (restUtilities.length === 0 || restPredictions.length !== names.length * restUtilities.length) return new Map()
  return new Map(columnsOf(names, restPredictions, restUtilities.length / 4))
}

/** The columns by name, without those that hold something else than finite numbers: they are not known. */
function columnsOf(names: readonly string[], bytes: Uint8Array, rows: number): [string, Float64Array][] {
  const all = doubles(bytes)
  const columns = names.map((name, at): [string, Float64Array] => [name, all.slice(at * rows, (at + 1) * rows)])
  return columns.filter(([, column]) => column.length === rows && column.every((value) => Number.isFinite(value)))
}

function doubles(bytes: Uint8Array): Float64Array {
  return Float64Array.from(float32Column(bytes))
}
