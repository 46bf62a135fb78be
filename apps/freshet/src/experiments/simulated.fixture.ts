import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { placesOf } from '@freshet/experiments/buckets'
import type { Experiments } from '@freshet/experiments/experiments'
import { drawnSlate } from '@freshet/experiments/off-policy/drawn-slate.fixture'
import { positionPropensities } from '@freshet/ordering/position-propensities'
import { actRecord } from '@freshet/trainer/joiner/served.fixture'

/** Records of a simulated log. */
export interface Simulated {
  readonly feeds: NewRecord[]
  readonly acts: NewRecord[]
}

/** Writes simulated records. */
export async function writeSimulated(log: Pick<EventLog, 'append'>, { feeds, acts }: Simulated): Promise<void> {
  const step = 2_000
  for (let at = 0; at < feeds.length; at += step) await log.append('feeds-served.v1', feeds.slice(at, at + step))
  for (let at = 0; at < acts.length; at += step) await log.append('engagements.v1', acts.slice(at, at + step))
}

/** Users of experiments, and what they do. */
export interface SimulatedUsers {
  readonly seed: number
  readonly users: number
  readonly nowMs: number
  readonly experiments: Experiments | null
  /** What is added to the rate of saves of a user in these arms. */
  readonly lift: (arms: readonly string[]) => number
  /** Which arm the record names; default: that of the user's bucket. Another one plants a fault. null: the feed is lost. */
  readonly recordedArm?: (arm: string, user: number, feed: number) => string | null
  /** Factors on heads of a user, and what each unit of their logarithms adds to the rate of saves. */
  readonly factors?: (user: string) => ReadonlyMap<string, number>
  readonly slope?: (head: string) => number
  /** Feeds of each user an hour before the experiments begin; default: 0. */
  readonly feedsBefore?: number
}

const pinsPerFeed = 4

/** Feeds of users with tastes of their own, one to eight feeds each, and their saves and closeups. */
export function simulateUsers(given: SimulatedUsers): Simulated {
  const random = mulberry32(given.seed)
  const simulated: Simulated = { feeds: [], acts: [] }
  for (let user = 0; user < given.users; user++) {
    const userId = `user-${user}`
    const places =
      given.experiments === null ? [] : placesOf(given.experiments, { user: userId, session: '', feed: userId })
    const factors = given.factors?.(userId) ?? new Map<string, number>()
    const tuned = [...factors].reduce((sum, [head, factor]) => sum + (given.slope?.(head) ?? 0) * Math.log(factor), 0)
    const taste = 0.05 + 0.3 * random() ** 2 + tuned
    const lift = given.lift(places.map(({ arm }) => arm.name))
    const feedsBefore = given.feedsBefore ?? 0
    const feeds = feedsBefore + 1 + Math.floor(8 * random() ** 2)
    for (let feed = 0; feed < feeds; feed++) {
      const isBefore = feed < feedsBefore
      const buckets = (isBefore ? [] : places).flatMap(({ layer, bucket, experiment, arm }) => {
        const name = given.recordedArm === undefined ? arm.name : given.recordedArm(arm.name, user, feed)
        return name === null ? [] : [{ layer: layer.name, bucket, experiment: experiment.name, arm: name }]
      })
      const headFactors =
        factors.size === 0
          ? undefined
          : { heads: [...factors.keys()], factors: bytesOf(Float32Array.from(factors.values())) }
      if (places.length > 0 && !isBefore && buckets.length === 0) continue
      const atMs = given.nowMs - 60_000 + feed - (isBefore ? 3_600_000 : 0)
      const feedId = `feed-${user}-${feed}`
      const pinIds = Array.from({ length: pinsPerFeed }, (_, pin) => `pin-${user}-${feed}-${pin}`)
      simulated.feeds.push(
        aFeedRecord({
          ...{ feedId, userId, atMs, pinIds, experiments: buckets, headFactors },
          versions: { experiments: given.experiments?.version ?? '' },
        }),
      )
      const rate = taste + (isBefore ? 0 : lift)
      for (const pinId of pinIds) {
        if (random() < rate)
          simulated.acts.push(actRecord({ userId, pinId, action: 'save', atMs: atMs + 1_000, feedId }))
        if (random() < 2 * rate)
          simulated.acts.push(actRecord({ userId, pinId, action: 'closeup', atMs: atMs + 500, feedId, dwellMs: 3_000 }))
      }
    }
  }
  return simulated
}

/** A record of `feeds-served.v1`. */
export function aFeedRecord(given: Parameters<typeof FeedServed.fromPartial>[0]): NewRecord {
  const feed = FeedServed.fromPartial({ surface: Surface.HOME, ...given })
  return { key: feed.userId, value: FeedServed.encode(feed).finish(), partition: null }
}

/** Feeds of users whose order was drawn, of a few candidates each. */
export interface SimulatedDraws {
  readonly seed: number
  readonly users: number
  readonly nowMs: number
  readonly temperature: number
  /** Whether records know the candidates below the page from a sample only, as those of older blenders; default: no. */
  readonly isOlder?: boolean
}

const drawnPins = 4
const drawnFrom = 7
/** How likely users look at each position. */
const looks = [1, 0.8, 0.6, 0.5] as const

/** Pins whose rate of saves grows with the utility, in an order that was drawn by Plackett–Luce, with the record of the draw. */
export function simulateDraws({ seed, users, nowMs, temperature, isOlder = false }: SimulatedDraws): Simulated {
  const random = mulberry32(seed)
  const simulated: Simulated = { feeds: [], acts: [] }
  for (let user = 0; user < users; user++) {
    const userId = `user-${user}`
    for (let feed = 0; feed < 1 + (user % 3); feed++) {
      const rates = Array.from({ length: drawnFrom }, () => 0.05 + 0.5 * random() ** 2)
      const values = rates.map((rate) => Math.fround(4 * rate + 0.5 * random()))
      const { picks, steps, left } = drawnSlate(values, { places: drawnPins, temperature, random })
      const atMs = nowMs - 60_000 + feed
      const feedId = `feed-${user}-${feed}`
      const pinIds = picks.map((pick) => `pin-${user}-${feed}-${pick}`)
      simulated.feeds.push(
        aFeedRecord({
          ...{ feedId, userId, atMs, pinIds, propensities: floats(steps) },
          utilities: floats(picks.map((pick) => values[pick]!)),
          actions: ['save'],
          probabilities: floats(picks.map((pick) => rates[pick]!)),
          draw: {
            slateLogPropensity: steps.reduce((sum, step) => sum + Math.log(step), 0),
            positionPropensities: bytesOf(placePropensities([...picks, ...left], values, temperature)),
            ...{ temperature, candidates: drawnFrom },
            ...(isOlder ? {} : restOf(left, values, rates)),
          },
          unshown: isOlder
            ? {
                reasons: [{ stage: 'page', reason: 'below-page', candidates: left.length, sampled: left.length }],
                pinIds: left.map((at) => `pin-${user}-${feed}-${at}`),
                reasonIndices: new Uint8Array(left.length),
                utilities: floats(left.map((at) => values[at]!)),
              }
            : undefined,
        }),
      )
      for (const [place, pick] of picks.entries())
        if (random() < rates[pick]! * looks[place]!)
          simulated.acts.push(actRecord({ userId, pinId: pinIds[place]!, action: 'save', atMs: atMs + 1_000, feedId }))
    }
  }
  return simulated
}

/** The candidates below the page, all of which could be drawn at every position. */
function restOf(left: readonly number[], values: readonly number[], rates: readonly number[]) {
  return {
    restUtilities: floats(left.map((at) => values[at]!)),
    restKeptOutFrom: bytesOf(new Uint16Array(left.length).fill(drawnPins)),
    restPredictions: floats(left.map((at) => rates[at]!)),
  }
}

function floats(numbers: readonly number[]): Uint8Array {
  return bytesOf(Float32Array.from(numbers))
}

/** The probabilities of the first pins at their places. */
function placePropensities(
  candidates: readonly number[],
  values: readonly number[],
  temperature: number,
): Float32Array {
  const worths = Float64Array.from(candidates, (at) => values[at]! / temperature)
  return Float32Array.from(
    positionPropensities(
      worths,
      Uint16Array.from({ length: drawnPins }, (_, place) => place),
    ),
  )
}
