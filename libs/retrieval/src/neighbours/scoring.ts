import { nextCapacity } from '@freshet/columns/growth'
import type { Hits, ScoreBoard } from '@freshet/columns/score-board'
import type { Interruption } from '../interruption.ts'
import type { SourceQuery } from '../source.ts'
import type { SessionLists } from '../views/session-lists.ts'
import type { NeighbourSet } from './neighbour-set.ts'
import { createRarities } from './rarity.ts'
import { selectBest } from './select.ts'

/** How neighbours are weighed and what they recommend. */
export type NeighbourParameters = {
  /** Of the user's recent pins, how many are looked up. */
  readonly maxRecentPins: number
  /** Each step back in the user's history counts exp(-1 / this) of the next. */
  readonly historyDecaySteps: number
  /** Of the trails that touched a pin, the latest that are read. */
  readonly maxTrailsPerPin: number
  /** Of all the trails read, the most similar that vote. */
  readonly maxNeighbours: number
  /** A neighbour's pin at this many steps from the shared one counts 1/e. */
  readonly distanceDecaySteps: number
  /** What comes after the shared pin counts this much of what comes before it. */
  readonly forwardWeight: number
  /** Similarity is divided by the trail's length to this power. */
  readonly lengthExponent: number
  /** A shared pin counts by log(trails / trails with it) to this power. */
  readonly sharedRarityExponent: number
  /** A recommended pin counts by log(trails / trails with it) to this power. */
  readonly rarityExponent: number
  /** A trail whose last action is this many days old counts 1/e. */
  readonly ageDecayDays: number
}

/** The user's recent distinct pins, latest first. */
export interface RecentPins {
  readonly count: number
  readonly rows: Int32Array
}

/** The time of the request, the trails that the set was gathered from, and the interruption. */
export interface ScoringContext {
  readonly atMs: number
  readonly trails: SessionLists
  readonly interruption: Interruption
}

const dayMs = 86_400_000
const maxSteps = 200

/** Adds the votes of a user's neighbours to a board. */
export interface NeighbourScorer {
  /** Clears the board and adds the votes of the trails that it reads before it is interrupted. */
  score(recent: RecentPins, set: NeighbourSet, at: ScoringContext): void
  /** Fills `hits` with the best of the pins that were voted for, each times its rarity among the trails. */
  top(query: Pick<SourceQuery, 'limit' | 'accept'>, trails: SessionLists, hits: Hits): void
}

/**
 * Session neighbours: V-SKNN (Ludewig & Jannach 2018) with the weights of STAN (Garg et al. 2019) and VSTAN: later pins
 * of the user count more (exp(-step / λ₁)), younger trails count more (exp(-age / λ₂)), pins near the shared one count
 * more (exp(-distance / λ₃)), rare pins count more (idf), on both sides. The sums are made in an order that depends on
 * similarities, times and keys alone, so that a set merged from shards gives the same bits.
 */
export function createNeighbourScorer(board: ScoreBoard, parameters: NeighbourParameters): NeighbourScorer {
  const { historyDecaySteps, ageDecayDays, lengthExponent, maxNeighbours } = parameters
  const sharedRarityOf = createRarities(parameters.sharedRarityExponent)
  const rarityOf = createRarities(parameters.rarityExponent)
  // By row of a pin: 1 + its place among the recent ones, 0 for all others; and by that number its weight.
  let places = new Uint16Array(0)
  const weights = new Float64Array(parameters.maxRecentPins + 1)
  let lengthPowers = new Float64Array(0)
  let similarities = new Float64Array(0)
  let order = new Int32Array(0)
  const nearness = new Float64Array(2 * maxSteps + 1)
  for (let steps = -maxSteps; steps <= maxSteps; steps++) {
    const weight = Math.exp(-Math.abs(steps) / parameters.distanceDecaySteps)
    nearness[steps + maxSteps] = steps > 0 ? parameters.forwardWeight * weight : weight
  }

  function makeRoom(candidates: number): void {
    if (board.capacity() > places.length) places = new Uint16Array(nextCapacity(places.length, board.capacity()))
    if (candidates <= order.length) return
    order = new Int32Array(nextCapacity(order.length, candidates))
    similarities = new Float64Array(order.length)
  }

  function lengthPowerOf(length: number): number {
    if (length >= lengthPowers.length)
      lengthPowers = Float64Array.from({ length: 2 * length + 1 }, (_, entries) => entries ** lengthExponent)
    return lengthPowers[length]!
  }

  /** Fills `similarities` and `order`; returns the number of trails read. */
  function compare({ count, starts, lengths, pinRows, lastAtMs }: NeighbourSet, at: ScoringContext): number {
    for (let c = 0; c < count; c++) {
      const length = lengths[c]!
      if (at.interruption.due(length)) return c
      const end = starts[c]! + length
      let shared = 0
      for (let i = starts[c]!; i < end; i++) {
        const place = places[pinRows[i]!]!
        if (place !== 0) shared += weights[place]!
      }
      const age = Math.max(0, at.atMs - lastAtMs[c]!) / dayMs
      similarities[c] = (shared / lengthPowerOf(length)) * Math.exp(-age / ageDecayDays)
      order[c] = c
    }
    return count
  }

  /** Adds the votes of a trail, entries `start` to `end`. */
  function vote(pinRows: Int32Array, start: number, end: number, similarity: number): void {
    let anchor = start
    let anchorWeight = 0
    for (let i = start; i < end; i++) {
      const place = places[pinRows[i]!]!
      if (place === 0 || weights[place]! < anchorWeight) continue
      anchorWeight = weights[place]!
      anchor = i
    }
    board.addAll(pinRows, { from: start, to: end, shift: maxSteps - anchor, factor: similarity }, nearness)
  }

  return {
    score(recent, set, at) {
      const { trails, interruption } = at
      makeRoom(set.count)
      for (let i = 0; i < recent.count; i++) {
        const row = recent.rows[i]!
        const rare = sharedRarityOf(trails.sessionCountOf(row), trails.sessionsEver)
        places[row] = i + 1
        weights[i + 1] = Math.exp(-i / historyDecaySteps) * rare
      }
      const { starts, lengths, pinRows, lastAtMs } = set
      const scored = compare(set, at)
      const chosen = selectBest(order, { count: scored, limit: maxNeighbours }, (a, b) => {
        const difference = similarities[a]! - similarities[b]! || lastAtMs[a]! - lastAtMs[b]!
        return difference === 0 ? keyBefore(trails, set.trails[a]!, set.trails[b]!) : difference > 0
      })
      board.clear()
      for (let n = 0; n < chosen; n++) {
        const c = order[n]!
        // The most similar trail always votes, even if time is up.
        if (n > 0 && interruption.due(lengths[c]!)) break
        vote(pinRows, starts[c]!, starts[c]! + lengths[c]!, similarities[c]!)
      }
      for (let i = 0; i < recent.count; i++) places[recent.rows[i]!] = 0
    },
    top({ limit, accept }, trails, hits) {
      const { sessionsEver } = trails
      board.top(limit, accept, hits, (row) => rarityOf(trails.sessionCountOf(row), sessionsEver))
    },
  }
}

function keyBefore(trails: SessionLists, a: number, b: number): boolean {
  const high = trails.keyHigh(a) - trails.keyHigh(b)
  return high < 0 || (high === 0 && trails.keyLow(a) < trails.keyLow(b))
}
