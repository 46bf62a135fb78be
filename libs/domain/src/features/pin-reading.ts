import { counted, decay, halfLifeNames, halfLivesMs } from '../decay.ts'
import { hash32 } from '../hash.ts'
import type { PinState } from '../pin-state.ts'
import { distinctUsers } from './distinct-users.ts'
import { actedOverall, defaultPositionRates, expectedActions } from './memboost.ts'
import { boardsOf } from './pin-boards.ts'
import { totalOf, totalsAt, totalsOf, totalsWidth } from './pin-totals.ts'
import { buckets } from './positions.ts'
import { ratedActions } from './rates.ts'

const width = halfLivesMs.length
const month = halfLifeNames.indexOf('30d')
/** Impressions, closeups, clicks, saves and hides come first among the actions; the others are rarely needed. */
const quickRows = 5

// Indices into a reading's array. One array per pin, because a page reads hundreds of pins that lie far apart in memory.
const newestAt = 0
const users = 1
const boardCount = 2
const acted = 3
const expected = 4
/** The last requested time and its decay factor per half-life; `notAsked` until it is needed. */
const askedAt = 5
const firstAt = 6
const lastAt = 7
/** Totals of the rated actions, of those after an impression, then impressions by bucket of positions. */
const rated = 8
const impressions = rated + 2 * ratedActions.length
const remains = impressions + buckets
const counts = remains + width
const length = counts + quickRows * width
const notAsked = -1

/**
 * A pin's state as features read it, computed once when the state arrives: a page reads hundreds of pins, and only
 * three factors depend on the time of the request. All counts are decayed to the time of the newest one, so
 * one factor per half-life serves them all; for an older time they are read from the state itself. The state is several times as
 * large as the reading, so it is kept only once a request has needed it: `readState` must return the same state at every call.
 */
export class PinReading {
  readonly #readState: () => PinState
  /** The state, once a request older than its newest count needed it. */
  #state: PinState | null = null
  readonly #boardIds: readonly string[]
  /** Hashes of `#boardIds`, ascending. */
  readonly #boardHashes: Uint32Array
  readonly #numbers: Float64Array

  constructor(readState: () => PinState) {
    const state = readState()
    const { counters, impressionsByPosition, positivesByPosition } = state
    let newestAtMs = state.lastAtMs
    for (const { atMs } of [counters, impressionsByPosition, positivesByPosition])
      for (const each of atMs) newestAtMs = Math.max(newestAtMs, each)
    this.#readState = readState
    this.#boardIds = boardsOf(state.boards)
    this.#boardHashes = Uint32Array.from(this.#boardIds, (id) => hash32(id)).sort()
    this.#numbers = new Float64Array(length)
    this.#numbers[newestAt] = newestAtMs
    this.#numbers[askedAt] = Number.NaN
    this.#numbers[firstAt] = state.firstAtMs
    this.#numbers[lastAt] = state.lastAtMs
    this.#numbers[users] = distinctUsers(state.users)
    this.#numbers[boardCount] = this.#boardIds.length
    this.#numbers[acted] = actedOverall(state, newestAtMs)
    this.#numbers[expected] = expectedActions(state, defaultPositionRates, newestAtMs)
    for (let row = 0; row < quickRows; row++)
      for (const [column, halfLife] of halfLifeNames.entries())
        this.#numbers[counts + row * width + column] = counted(counters, row, halfLife, newestAtMs)
    this.#numbers.set(totalsOf(state).subarray(totalsAt.acted, totalsWidth), rated)
    for (let bucket = 0; bucket < buckets; bucket++)
      this.#numbers[impressions + bucket] = totalOf(impressionsByPosition, bucket)
  }

  /** Event time of the first engagement. */
  get firstAtMs(): number {
    return this.#numbers[firstAt]!
  }

  /** Event time of the last engagement. */
  get lastAtMs(): number {
    return this.#numbers[lastAt]!
  }

  /** Estimated number of different users who liked it. */
  get users(): number {
    return this.#numbers[users]!
  }

  /** The number of boards it is on. */
  get boards(): number {
    return this.#numbers[boardCount]!
  }

  /** Whether it is on a board; `hash`: `hash32` of its id. */
  isOn(boardId: string, hash: number): boolean {
    const hashes = this.#boardHashes
    let low = 0
    let high = hashes.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = hashes[middle]!
      if (found === hash) return this.#boardIds.includes(boardId)
      if (found < hash) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  /** The decayed count of an action (its index in `actions`) under a half-life (its index in `halfLifeNames`) as of a time. */
  count(row: number, column: number, atMs: number): number {
    if (row >= quickRows || atMs < this.#numbers[newestAt]!)
      return counted(this.#older().counters, row, halfLifeNames[column] ?? 'total', atMs)
    return this.#remaining(this.#numbers[counts + row * width + column]!, column, atMs)
  }

  /** How often users acted, in all; `at`: the action's index in `ratedActions`. */
  acts(at: number): number {
    return this.#numbers[rated + at]!
  }

  /** How often users acted after an impression, in all; `at`: the action's index in `ratedActions`. */
  actsAfterShown(at: number): number {
    return this.#numbers[rated + ratedActions.length + at]!
  }

  /** All impressions, each times the weight of its bucket of positions. */
  weightedImpressions(weights: Float64Array): number {
    let sum = 0
    for (let bucket = 0; bucket < buckets; bucket++) sum += weights[bucket]! * this.#numbers[impressions + bucket]!
    return sum
  }

  /** Positive actions, 30-day half-life, as `actedOverall`. */
  acted(atMs: number): number {
    if (atMs < this.#numbers[newestAt]!) return actedOverall(this.#older(), atMs)
    return this.#remaining(this.#numbers[acted]!, month, atMs)
  }

  /** The result of `expectedActions` with the default rates. */
  expected(atMs: number): number {
    if (atMs < this.#numbers[newestAt]!) return expectedActions(this.#older(), defaultPositionRates, atMs)
    return this.#remaining(this.#numbers[expected]!, month, atMs)
  }

  #older(): PinState {
    return (this.#state ??= this.#readState())
  }

  /** A number as of the newest count, decayed. */
  #remaining(value: number, column: number, atMs: number): number {
    if (value === 0) return 0
    const numbers = this.#numbers
    if (numbers[askedAt] !== atMs) {
      numbers.fill(notAsked, remains, remains + width)
      numbers[askedAt] = atMs
    }
    let remaining = numbers[remains + column]!
    if (remaining === notAsked) {
      remaining = decay(atMs - numbers[newestAt]!, halfLivesMs[column]!)
      numbers[remains + column] = remaining
    }
    return value * remaining
  }
}
