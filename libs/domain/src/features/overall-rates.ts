import type { Pin } from '../pin.ts'
import { scalarOver, type Feature } from './feature.ts'
import { createPositionRates, type PositionRates } from './memboost.ts'
import { totalsAt, totalsWidth } from './pin-totals.ts'
import { buckets } from './positions.ts'
import { rateDeviation, ratedActions, ratePriors, smoothedRate } from './rates.ts'
import { SubjectTotals } from './subject-totals.ts'
import { topicListsOf } from './topic-lists.ts'

/** What one pin of the catalogue contributes to the rates of its topics and creator. */
export interface PinContribution extends Pick<Pin, 'topics' | 'creatorId'> {
  /** As `totalsOf` gives them. */
  readonly totals: Float64Array
}

/** Counts what all users did with the pins of each topic and creator, as the pins change. */
export interface OverallCounts {
  /** Replaces a pin's contribution; null: it has none. */
  replace(before: PinContribution | null, after: PinContribution | null): void
  /** The rates as of now. Valid until the next replacement. */
  rates(): OverallRates
  /** How many topics and creators have counts. */
  stats(): { readonly topics: number; readonly creators: number }
}

/** Creates empty counts. They are sums of whole numbers, so the order of replacements does not matter. The place of a topic or creator without pins goes to the next new one. */
export function createOverallCounts(): OverallCounts {
  const all = new Float64Array(totalsWidth)
  const topics = new SubjectTotals()
  const creators = new SubjectTotals()
  const positions = createPositionRates()
  let current: OverallRates | null = null
  const add = ({ topics: ofTopics, creatorId, totals }: PinContribution, sign: number): void => {
    for (let at = 0; at < totalsWidth; at++) all[at] = all[at]! + sign * totals[at]!
    for (const topic of ofTopics) topics.add(topic, totals, sign)
    if (creatorId !== null) creators.add(creatorId, totals, sign)
  }
  return {
    replace(before, after) {
      current = null
      positions.replace(before?.totals ?? null, after?.totals ?? null)
      if (before !== null) add(before, -1)
      if (after !== null) add(after, 1)
    },
    rates: () => (current ??= new OverallRates(all, { topics, creators }, positions.rates())),
    stats: () => ({ topics: topics.size, creators: creators.size }),
  }
}

/** Weight of each prior, in impressions: the rate of everything starts at `ratePriors`, a topic's at that rate, a creator's at its topics', a pin's at its creator's. */
const strengths = { all: 100, topic: 50, creator: 30, pin: 20 } as const

// Places in the numbers of a topic, creator or pin.
const shownAt = 0
const ratesAt = 1
const uncertaintyAt = ratesAt + ratedActions.length
const numbers = uncertaintyAt + 1
/** Where a row has the numbers of the creator and of the pin; those of the topics come first. */
const creatorAt = numbers
const pinAt = 2 * numbers
const rowWidth = 3 * numbers
const saveRateAt = ratesAt + ratedActions.indexOf('save')

type Meta = Pick<Pin, 'topics' | 'creatorId'>

/** What all users did with one pin, see `PinReading`. */
interface Acts {
  acts(action: number): number
  actsAfterShown(action: number): number
  weightedImpressions(weights: Float64Array): number
}

/** Pins in columns. */
interface OverallPins {
  readonly pinMetas: readonly (Meta | null)[]
  readonly pins: readonly (Acts | null)[]
}

/**
 * How often all users act on pins: on any, on those of a topic, on those of a creator, and on one pin, each smoothed towards the one
 * before. An impression weighs as much as users act at its position, 1 on average, so that pins from the end of the page
 * do not look worse than they are. Actions on pins that were not shown do not count, unless nobody reports impressions: then an action counts as
 * an impression too.
 */
export class OverallRates {
  readonly #topics: SubjectTotals
  readonly #creators: SubjectTotals
  /** Weight of an impression, by bucket of positions. */
  readonly #weights: Float64Array
  readonly #all = new Float64Array(numbers)
  readonly #acted = new Float64Array(ratedActions.length)
  /** Whether anybody reports impressions. */
  readonly #isShown: boolean

  constructor(
    all: Float64Array,
    counts: { readonly topics: SubjectTotals; readonly creators: SubjectTotals },
    positionRates: PositionRates,
  ) {
    this.#topics = counts.topics
    this.#creators = counts.creators
    this.#weights = weightsOf(all, positionRates)
    this.#isShown = all.subarray(totalsAt.impressions, totalsAt.impressions + buckets).some((count) => count > 0)
    this.#all.set(ratePriors, ratesAt)
    this.#write(this.#all, 0, this.#take(all, 0), { from: this.#all, prior: 0, strength: strengths.all, topics: 1 })
  }

  /** The rate of an action (its index in `ratedActions`) over all pins. */
  rate(action: number): number {
    return this.#all[ratesAt + action]!
  }

  /** A row of numbers for each pin: those of its topics, of its creator and of the pin itself. `pins` null: no user has engaged with it. */
  numbersOf({ pinMetas, pins }: OverallPins): Float64Array {
    const out = new Float64Array(pinMetas.length * rowWidth)
    const { lists, of } = topicListsOf(pinMetas)
    const ofLists = new Float64Array(lists.length * numbers)
    for (let list = 0; list < lists.length; list++) this.#writeTopics(ofLists, list * numbers, lists[list]!)
    for (let row = 0; row < pinMetas.length; row++) {
      const at = row * rowWidth
      const from = of[row]! * numbers
      const meta = pinMetas[row]!
      for (let number = 0; number < numbers; number++) out[at + number] = ofLists[from + number]!
      this.#acted.fill(0)
      const shown = meta === null || meta.creatorId === null ? 0 : this.#takeOf(this.#creators, meta.creatorId)
      this.#write(out, at + creatorAt, shown, {
        from: out,
        prior: at,
        strength: strengths.creator,
        topics: 1,
      })
      this.#writePin(out, at, pins[row]!)
    }
    return out
  }

  #writeTopics(out: Float64Array, at: number, topics: readonly string[]): void {
    let shown = 0
    this.#acted.fill(0)
    for (let place = 0; place < topics.length; place++) shown += this.#takeOf(this.#topics, topics[place]!)
    this.#write(out, at, shown, { from: this.#all, prior: 0, strength: strengths.topic, topics: topics.length })
  }

  #writePin(out: Float64Array, at: number, reading: Acts | null): void {
    this.#acted.fill(0)
    let shown = 0
    if (reading !== null) {
      shown = reading.weightedImpressions(this.#weights)
      for (let action = 0; action < ratedActions.length; action++) {
        this.#acted[action] = this.#isShown ? reading.actsAfterShown(action) : reading.acts(action)
        shown = Math.max(shown, this.#acted[action]!)
      }
    }
    this.#write(out, at + pinAt, shown, { from: out, prior: at + creatorAt, strength: strengths.pin, topics: 1 })
  }

  #takeOf(subjects: SubjectTotals, id: string): number {
    const offset = subjects.offsetOf(id)
    return offset === undefined ? 0 : this.#take(subjects.values, offset)
  }

  /** Adds actions to `#acted` and returns the impressions; an action without an impression counts as one. */
  #take(counts: Float64Array, offset: number): number {
    let shown = 0
    for (let bucket = 0; bucket < buckets; bucket++)
      shown += this.#weights[bucket]! * counts[offset + totalsAt.impressions + bucket]!
    const from = offset + (this.#isShown ? totalsAt.actedAfterShown : totalsAt.acted)
    for (let at = 0; at < ratedActions.length; at++) {
      const acted = counts[from + at]!
      this.#acted[at] = this.#acted[at]! + acted
      shown = Math.max(shown, acted)
    }
    return shown
  }

  /** Writes the numbers from `#acted`. Several topics are pooled, so each weighs as much as its impressions and its prior. */
  #write(out: Float64Array, to: number, shown: number, { from, prior, strength, topics }: Smoothing): void {
    const count = Math.max(1, topics)
    for (let at = 0; at < ratedActions.length; at++)
      out[to + ratesAt + at] = smoothedRate(this.#acted[at]!, shown, from[prior + ratesAt + at]!, strength * count)
    out[to + shownAt] = shown / count
    out[to + uncertaintyAt] = rateDeviation(out[to + saveRateAt]!, shown / count, strength)
  }
}

/** Numbers towards which others are smoothed: those of `from` at `prior`. */
interface Smoothing {
  readonly from: Float64Array
  readonly prior: number
  readonly strength: number
  readonly topics: number
}

/** The rates before any user has engaged with a pin. */
export const noOverallRates: OverallRates = createOverallCounts().rates()

/** The position rates, relative to their mean over all impressions; 1 everywhere without impressions. */
function weightsOf(all: Float64Array, positionRates: PositionRates): Float64Array {
  let shown = 0
  let expected = 0
  for (let bucket = 0; bucket < buckets; bucket++) {
    shown += all[totalsAt.impressions + bucket]!
    expected += all[totalsAt.impressions + bucket]! * positionRates[bucket]!
  }
  return positionRates.map((rate) => (expected === 0 ? 1 : (rate * shown) / expected))
}

/** What these features read of a page. */
interface OverallPage extends OverallPins {
  readonly overall: OverallRates
}

// Many features read the same numbers, so a page's are computed once.
const numbersOfPage = new WeakMap<object, Float64Array>()

function writeNumber(page: OverallPage, at: number, out: Float64Array): void {
  let all = numbersOfPage.get(page)
  if (all === undefined) {
    all = page.overall.numbersOf(page)
    numbersOfPage.set(page, all)
  }
  for (let row = 0; row < out.length; row++) out[row] = all[row * rowWidth + at]!
}

const scalar = scalarOver<OverallPage>()

/** What all users do: on any pin, on the pins of the topics and of the creator, and on this pin; see `OverallRates`. */
export const overallRateFeatures: readonly Feature<OverallPage>[] = [
  ...ratedActions.map((action, at) =>
    scalar({
      name: `overall_${action}_rate`,
      unit: 'probability',
      missing: ratePriors[at]!,
      needs: [],
      value: ({ overall }) => overall.rate(at),
    }),
  ),
  ...featuresOf('topic_overall', 0),
  ...featuresOf('creator_overall', creatorAt),
  ...featuresOf('pin_smoothed', pinAt),
]

function featuresOf(name: string, from: number): readonly Feature<OverallPage>[] {
  const number = (suffix: string, at: number, unit: string, missing: number): Feature<OverallPage> =>
    scalar({
      name: `${name}_${suffix}`,
      unit,
      missing,
      needs: [],
      column: (page, out) => writeNumber(page, from + at, out),
    })
  return [
    number('impressions', shownAt, 'weighted impressions', 0),
    ...ratedActions.map((action, at) => number(`${action}_rate`, ratesAt + at, 'probability', ratePriors[at]!)),
    number('save_uncertainty', uncertaintyAt, 'standard deviation of a probability', 0),
  ]
}
