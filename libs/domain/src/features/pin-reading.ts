import { counted, decay, halfLifeNames, halfLivesMs } from '../decay.ts'
import { actions } from '../engagement.ts'
import type { PinState } from '../pin-state.ts'
import { distinctUsers } from './distinct-users.ts'
import { actedOverall, defaultPositionRates, expectedActions } from './memboost.ts'
import { boardsOf } from './pin-boards.ts'

const width = halfLivesMs.length

/**
 * A pin's state as features read it, worked out once when the state arrives: a page asks for hundreds of pins, and what
 * of it depends on the time of the request is three factors. All counts are brought to the time of the newest one, so
 * that one factor per half-life serves them all; as of an older time they are read from the state itself.
 */
export class PinReading {
  readonly state: PinState
  /** Estimated number of different users who liked it. */
  readonly users: number
  /** The boards it is on. */
  readonly boardIds: readonly string[]
  readonly #newestAtMs: number
  /** Actions × half-lives, as of the newest count. */
  readonly #counts: Float64Array
  readonly #acted: number
  readonly #expected: number
  /** What remains of a count at `#readAtMs`, per half-life. */
  readonly #remains = new Float64Array(width)
  #readAtMs = Number.NaN

  constructor(state: PinState) {
    const { counters, impressionsByPosition, positivesByPosition } = state
    const times = [counters, impressionsByPosition, positivesByPosition].flatMap(({ atMs }) => [...atMs])
    const newestAtMs = Math.max(state.lastAtMs, ...times)
    this.state = state
    this.users = distinctUsers(state.users)
    this.boardIds = boardsOf(state.boards)
    this.#newestAtMs = newestAtMs
    this.#counts = new Float64Array(actions.length * width)
    for (let row = 0; row < actions.length; row++) {
      for (let column = 0; column < width; column++)
        this.#counts[row * width + column] = counted(counters, row, halfLifeNames[column] ?? 'total', newestAtMs)
    }
    this.#acted = actedOverall(state, newestAtMs)
    this.#expected = expectedActions(state, defaultPositionRates, newestAtMs)
  }

  /** How often an action (its index in `actions`) was taken, decayed (index in `halfLifeNames`), as of a time. */
  count(row: number, column: number, atMs: number): number {
    if (atMs < this.#newestAtMs) return counted(this.state.counters, row, halfLifeNames[column] ?? 'total', atMs)
    return (this.#counts[row * width + column] ?? 0) * this.#remaining(column, atMs)
  }

  /** Positive actions, 30-day half-life, as `actedOverall`. */
  acted(atMs: number): number {
    if (atMs < this.#newestAtMs) return actedOverall(this.state, atMs)
    return this.#acted * this.#remaining(month, atMs)
  }

  /** What `expectedActions` gives with the default rates. */
  expected(atMs: number): number {
    if (atMs < this.#newestAtMs) return expectedActions(this.state, defaultPositionRates, atMs)
    return this.#expected * this.#remaining(month, atMs)
  }

  #remaining(column: number, atMs: number): number {
    if (this.#readAtMs !== atMs) {
      const elapsedMs = atMs - this.#newestAtMs
      for (let i = 0; i < width; i++) this.#remains[i] = decay(elapsedMs, halfLivesMs[i] ?? 1)
      this.#readAtMs = atMs
    }
    return this.#remains[column] ?? 0
  }
}

const month = halfLifeNames.indexOf('30d')
