import { decay } from '../decay.ts'
import { actions, type Action } from '../engagement.ts'
import { hash32 } from '../hash.ts'
import type { Pin } from '../pin.ts'
import type { UserState } from '../user-state.ts'
import { scalarOver, type Feature, type Met } from './feature.ts'
import { rateDeviation, ratedActions, ratePriors, remainingDeviation, smoothedRate } from './rates.ts'
import { standingOf } from './standing-actions.ts'
import { topicListsOf } from './topic-lists.ts'

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
  readonly #sum = new Float64Array(counts)
  // Several features read the same rates, so a page's are computed once.
  #page: readonly (Meta | null)[] | null = null
  #ofLists = new Float64Array()
  #ofCreators = new Float64Array()

  constructor(input: UserRatesInput) {
    this.#input = input
  }

  /** Writes a number of each pin's topics. */
  writeTopics(pinMetas: readonly (Meta | null)[], at: number, out: Float64Array): void {
    this.#read(pinMetas)
    const { of } = topicListsOf(pinMetas)
    const numbersOf = this.#ofLists
    for (let row = 0; row < of.length; row++) out[row] = numbersOf[of[row]! * numbers + at]!
  }

  /** Writes a number of each pin's creator. */
  writeCreators(pinMetas: readonly (Meta | null)[], at: number, out: Float64Array): void {
    this.#read(pinMetas)
    const numbersOf = this.#ofCreators
    for (let row = 0; row < pinMetas.length; row++) out[row] = numbersOf[row * numbers + at]!
  }

  #read(pinMetas: readonly (Meta | null)[]): void {
    if (this.#page === pinMetas) return
    this.#page = pinMetas
    // Only now, because not every model reads these features.
    this.#tables ??= tablesOf(this.#input)
    const { topics, creators, priors } = this.#tables
    const { lists } = topicListsOf(pinMetas)
    const sum = this.#sum
    this.#ofLists = new Float64Array(lists.length * numbers)
    for (let list = 0; list < lists.length; list++) {
      const ofList = lists[list]!
      sum.fill(0)
      for (let at = 0; at < ofList.length; at++) {
        const place = topics.places.get(ofList[at]!)
        if (place !== undefined) addCounts(sum, topics.values, place)
      }
      write(this.#ofLists, list * numbers, { sum, from: 0, priors, topics: Math.max(1, ofList.length) })
    }
    const unknown = new Float64Array(numbers)
    write(unknown, 0, { sum: sum.fill(0), from: 0, priors, topics: 1 })
    this.#ofCreators = new Float64Array(pinMetas.length * numbers)
    for (let row = 0; row < pinMetas.length; row++) {
      const creatorId = pinMetas[row]?.creatorId ?? null
      const from = creatorId === null ? undefined : creators.places.get(creatorId)
      if (from !== undefined) write(this.#ofCreators, row * numbers, { sum: creators.values, from, priors, topics: 1 })
      else for (let at = 0; at < numbers; at++) this.#ofCreators[row * numbers + at] = unknown[at]!
    }
  }
}

interface Tables {
  readonly topics: SubjectCounts
  readonly creators: SubjectCounts
  /** The user's own rates. */
  readonly priors: Float64Array
}

/** Counts of topics or creators: a row of `counts` for each. One array for all of them, because a user has seen the pins of hundreds. */
interface SubjectCounts {
  readonly places: Map<string, number>
  values: Float64Array
}

const noSubjects = (): SubjectCounts => ({ places: new Map(), values: new Float64Array(64 * counts) })

/** Linear in the pins seen and the recent actions. */
function tablesOf({ user: { seen, recent }, pinOf, overallRate, atMs }: UserRatesInput): Tables {
  const did = didOf(recent)
  const all = new Float64Array(counts)
  const topics = noSubjects()
  const creators = noSubjects()
  const one = new Float64Array(counts)
  for (let row = 0; row < seen.pins.length; row++) {
    const fingerprint = seen.pins[row]!
    const elapsedMs = atMs - seen.atMs[row]!
    countOne(one, did.get(fingerprint) ?? 0, elapsedMs)
    addCounts(all, one, 0)
    const pin = pinOf(fingerprint)
    if (pin === undefined) continue
    for (const topic of pin.topics) addTo(topics, topic, one)
    if (pin.creatorId !== null) addTo(creators, pin.creatorId, one)
  }
  const priors = Float64Array.from(ratedActions, (_, at) =>
    smoothedRate(all[actedAt + at]!, all[shownAt]!, overallRate(at), strengths.user),
  )
  return { topics, creators, priors }
}

/** The bits of what the user did with each pin, by its fingerprint. */
function didOf(recent: UserState['recent']): ReadonlyMap<number, number> {
  const did = new Map<number, number>()
  const standing = standingOf(recent)
  for (let row = 0; row < standing.length; row++) {
    const action = actions[recent.actions[row] ?? 0]
    const bit = standing[row] === 1 && action !== undefined ? (bits[action] ?? 0) : 0
    if (bit === 0) continue
    const fingerprint = hash32(recent.pinIds[row] ?? '')
    did.set(fingerprint, (did.get(fingerprint) ?? 0) | bit)
  }
  return did
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

/** Adds the counts of one pin to those of a subject. */
function addTo(subjects: SubjectCounts, id: string, one: Float64Array): void {
  let place = subjects.places.get(id)
  if (place === undefined) {
    place = subjects.places.size * counts
    subjects.places.set(id, place)
    if (place === subjects.values.length) {
      const larger = new Float64Array(2 * place)
      larger.set(subjects.values)
      subjects.values = larger
    }
  }
  const { values } = subjects
  for (let at = 0; at < counts; at++) values[place + at] = values[place + at]! + one[at]!
}

/** Adds a row of counts that begins at `from`. */
function addCounts(to: Float64Array, values: Float64Array, from: number): void {
  for (let at = 0; at < counts; at++) to[at] = to[at]! + values[from + at]!
}

interface Counted {
  /** Its counts begin at `from`. */
  readonly sum: Float64Array
  readonly from: number
  readonly priors: Float64Array
  readonly topics: number
}

/** Writes numbers from counts to `out` from `to`. Several topics are pooled, so each weighs as much as its impressions and its prior. */
function write(out: Float64Array, to: number, { sum, from, priors, topics }: Counted): void {
  const shown = sum[from + shownAt]!
  const shownRecently = sum[from + shownRecentlyAt]!
  for (let at = 0; at < ratedActions.length; at++) {
    const rate = smoothedRate(sum[from + actedAt + at]!, shown, priors[at]!, strengths.subject * topics)
    out[to + ratesAt + at] = rate
    out[to + recentRatesAt + at] = smoothedRate(
      sum[from + actedRecentlyAt + at]!,
      shownRecently,
      rate,
      strengths.recent * topics,
    )
  }
  const impressions = shown / topics
  out[to + impressionsAt] = impressions
  out[to + recentImpressionsAt] = shownRecently / topics
  out[to + saveDeviationAt] = rateDeviation(out[to + ratesAt + saved]!, impressions, strengths.subject)
  out[to + uncertaintyAt] = remainingDeviation(impressions, strengths.subject)
}

/** What these features read of a page. */
interface UserRatesPage {
  readonly userRates: UserRates | null
  readonly pinMetas: readonly (Meta | null)[]
}

const scalar = scalarOver<UserRatesPage>()

/** How this user acts on pins of the topics, `topic_save_rate`, and of the creator, `user_creator_save_rate`; see `UserRates`. */
export const userRateFeatures: readonly Feature<UserRatesPage>[] = [
  ...featuresOf('topic', ({ userRates, pinMetas }, at, out) => userRates.writeTopics(pinMetas, at, out)),
  ...featuresOf('user_creator', ({ userRates, pinMetas }, at, out) => userRates.writeCreators(pinMetas, at, out)),
]

function featuresOf(
  name: string,
  write: (page: Met<UserRatesPage, 'userRates'>, at: number, out: Float64Array) => void,
): readonly Feature<UserRatesPage>[] {
  const number = (suffix: string, at: number, { unit, missing }: { readonly unit: string; readonly missing: number }) =>
    scalar({
      name: `${name}_${suffix}`,
      unit,
      missing,
      needs: ['userRates'],
      column: (page, out) => write(page, at, out),
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
