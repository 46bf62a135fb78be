import { decay } from '../decay.ts'
import { actions, type Action } from '../engagement.ts'
import { hash32 } from '../hash.ts'
import type { Pin } from '../pin.ts'
import type { UserState } from '../user-state.ts'
import { scalarOver, type Feature } from './feature.ts'
import { rateDeviation, ratedActions, ratePriors, remainingDeviation, smoothedRate } from './rates.ts'
import { standingOf } from './standing-actions.ts'

/** Half-life of what a user did with a pin, milliseconds: 4 days, and 12 hours to follow a change of taste. */
const halfLifeMs = 345_600_000
const recentHalfLifeMs = 43_200_000

/** Weight of each prior, in impressions: a user's rates start at those of all users, a topic's or creator's at the user's, the recent ones at the long ones. */
const strengths = { user: 40, subject: 8, recent: 8 } as const

// Places in the counts of a topic or creator: pins shown and acted on, by either half-life.
const shownAt = 0
const actedAt = 1
const shownRecentlyAt = actedAt + ratedActions.length
const actedRecentlyAt = shownRecentlyAt + 1
const counts = actedRecentlyAt + ratedActions.length

// Places in the numbers that features read.
const impressionsAt = 0
const recentImpressionsAt = 1
const ratesAt = 2
const recentRatesAt = ratesAt + ratedActions.length
const saveDeviationAt = recentRatesAt + ratedActions.length
const uncertaintyAt = saveDeviationAt + 1
const numbers = uncertaintyAt + 1

const saved = ratedActions.indexOf('save')

/** Bits by action, an action's index in `ratedActions`; a report counts as a hide. */
const bits: Readonly<Partial<Record<Action, number>>> = {
  ...Object.fromEntries(ratedActions.map((action, at) => [action, 1 << at])),
  report: 1 << ratedActions.indexOf('hide'),
}

type Meta = Pick<Pin, 'topics' | 'creatorId'>

/** What the rates of a user are derived from. */
export interface UserRatesInput {
  readonly user: Pick<UserState, 'seen' | 'recent'>
  /** The pin of the catalogue with this `hash32` of its id. */
  readonly pinOf: (fingerprint: number) => Meta | undefined
  /** The rate of an action (its index in `ratedActions`) over all users. */
  readonly overallRate: (action: number) => number
  readonly atMs: number
}

/**
 * How often a user acts on the pins of each topic and creator, among the newest pins that the user saw (`Seen.pins`): a pin counts once, with
 * what the user did with it. They are derived when read, because topics and creators are the catalogue's. Actions
 * on pins seen longer ago count nowhere, since the impressions beside them are no longer known.
 */
export class UserRates {
  readonly #input: UserRatesInput
  #tables: Tables | null = null
  // The pin that was asked about last, because a page reads many numbers of one pin in a row.
  #meta: Meta | null | undefined = undefined
  readonly #topic = new Float64Array(numbers)
  readonly #creator = new Float64Array(numbers)
  readonly #sum = new Float64Array(counts)

  constructor(input: UserRatesInput) {
    this.#input = input
  }

  /** A number of the pin's topics. */
  topic(meta: Meta | null, at: number): number {
    if (this.#meta !== meta) this.#read(meta)
    return this.#topic[at]!
  }

  /** A number of the pin's creator. */
  creator(meta: Meta | null, at: number): number {
    if (this.#meta !== meta) this.#read(meta)
    return this.#creator[at]!
  }

  #read(meta: Meta | null): void {
    this.#meta = meta
    // Only now, because not every model reads these features.
    this.#tables ??= tablesOf(this.#input)
    const { topics, creators, priors } = this.#tables
    const sum = this.#sum.fill(0)
    const ofTopics = meta?.topics ?? []
    for (const topic of ofTopics) addCounts(sum, topics.get(topic))
    write(this.#topic, sum, { priors, topics: Math.max(1, ofTopics.length) })
    sum.fill(0)
    if (meta !== null && meta.creatorId !== null) addCounts(sum, creators.get(meta.creatorId))
    write(this.#creator, sum, { priors, topics: 1 })
  }
}

interface Tables {
  readonly topics: ReadonlyMap<string, Float64Array>
  readonly creators: ReadonlyMap<string, Float64Array>
  /** The user's own rates. */
  readonly priors: Float64Array
}

/** Linear in the pins seen and the recent actions. */
function tablesOf({ user: { seen, recent }, pinOf, overallRate, atMs }: UserRatesInput): Tables {
  const did = new Map<number, number>()
  const standing = standingOf(recent)
  for (let row = 0; row < standing.length; row++) {
    const action = actions[recent.actions[row] ?? 0]
    const bit = standing[row] === 1 && action !== undefined ? (bits[action] ?? 0) : 0
    if (bit === 0) continue
    const fingerprint = hash32(recent.pinIds[row] ?? '')
    did.set(fingerprint, (did.get(fingerprint) ?? 0) | bit)
  }
  const all = new Float64Array(counts)
  const topics = new Map<string, Float64Array>()
  const creators = new Map<string, Float64Array>()
  const one = new Float64Array(counts)
  for (let row = 0; row < seen.pins.length; row++) {
    const fingerprint = seen.pins[row]!
    const elapsedMs = atMs - seen.atMs[row]!
    countOne(one, did.get(fingerprint) ?? 0, elapsedMs)
    addCounts(all, one)
    const pin = pinOf(fingerprint)
    if (pin === undefined) continue
    for (const topic of pin.topics) addCounts(rowOf(topics, topic), one)
    if (pin.creatorId !== null) addCounts(rowOf(creators, pin.creatorId), one)
  }
  const priors = Float64Array.from(ratedActions, (_, at) =>
    smoothedRate(all[actedAt + at]!, all[shownAt]!, overallRate(at), strengths.user),
  )
  return { topics, creators, priors }
}

/** Writes the counts of one pin. */
function countOne(one: Float64Array, did: number, elapsedMs: number): void {
  const weight = decay(elapsedMs, halfLifeMs)
  const recentWeight = decay(elapsedMs, recentHalfLifeMs)
  one[shownAt] = weight
  one[shownRecentlyAt] = recentWeight
  for (let at = 0; at < ratedActions.length; at++) {
    const acted = (did >>> at) & 1
    one[actedAt + at] = acted * weight
    one[actedRecentlyAt + at] = acted * recentWeight
  }
}

function rowOf(rows: Map<string, Float64Array>, id: string): Float64Array {
  let row = rows.get(id)
  if (row === undefined) {
    row = new Float64Array(counts)
    rows.set(id, row)
  }
  return row
}

function addCounts(to: Float64Array, from: Float64Array | undefined): void {
  if (from === undefined) return
  for (let at = 0; at < counts; at++) to[at] = to[at]! + from[at]!
}

/** Writes numbers from counts. Several topics are pooled, so each weighs as much as its impressions and its prior. */
function write(
  out: Float64Array,
  sum: Float64Array,
  { priors, topics }: { readonly priors: Float64Array; readonly topics: number },
): void {
  const shown = sum[shownAt]!
  const shownRecently = sum[shownRecentlyAt]!
  for (let at = 0; at < ratedActions.length; at++) {
    const rate = smoothedRate(sum[actedAt + at]!, shown, priors[at]!, strengths.subject * topics)
    out[ratesAt + at] = rate
    out[recentRatesAt + at] = smoothedRate(sum[actedRecentlyAt + at]!, shownRecently, rate, strengths.recent * topics)
  }
  out[impressionsAt] = shown / topics
  out[recentImpressionsAt] = shownRecently / topics
  out[saveDeviationAt] = rateDeviation(out[ratesAt + saved]!, out[impressionsAt], strengths.subject)
  out[uncertaintyAt] = remainingDeviation(out[impressionsAt], strengths.subject)
}

/** The context of these features. */
interface UserRatesContext {
  readonly userRates: UserRates | null
  readonly pinMeta: Meta | null
}

const scalar = scalarOver<UserRatesContext>()

/** How this user acts on pins of the topics, `topic_save_rate`, and of the creator, `user_creator_save_rate`; see `UserRates`. */
export const userRateFeatures: readonly Feature<UserRatesContext>[] = [
  ...featuresOf('topic', (rates, pinMeta, at) => rates.topic(pinMeta, at)),
  ...featuresOf('user_creator', (rates, pinMeta, at) => rates.creator(pinMeta, at)),
]

function featuresOf(
  name: string,
  read: (rates: UserRates, pinMeta: Meta | null, at: number) => number,
): readonly Feature<UserRatesContext>[] {
  const number = (suffix: string, at: number, { unit, missing }: { readonly unit: string; readonly missing: number }) =>
    scalar({
      name: `${name}_${suffix}`,
      unit,
      missing,
      needs: ['userRates'],
      value: ({ userRates, pinMeta }) => read(userRates, pinMeta, at),
    })
  const impressions = { unit: 'decayed pins seen', missing: 0 }
  return [
    number('impressions', impressionsAt, impressions),
    number('impressions_recent', recentImpressionsAt, impressions),
    ...ratedActions.map((action, at) =>
      number(`${action}_rate`, ratesAt + at, { unit: 'probability', missing: ratePriors[at]! }),
    ),
    ...ratedActions.map((action, at) =>
      number(`${action}_rate_recent`, recentRatesAt + at, { unit: 'probability', missing: ratePriors[at]! }),
    ),
    number('save_uncertainty', saveDeviationAt, { unit: 'standard deviation of a probability', missing: 0 }),
    number('uncertainty', uncertaintyAt, { unit: 'share of the standard deviation without evidence', missing: 1 }),
  ]
}
