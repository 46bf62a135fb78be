import { grownFloat64, grownInt32, nextCapacity } from '@freshet/columns/growth'
import type { Interruption } from '../interruption.ts'
import type { ScoreBoard } from '@freshet/columns/score-board'
import type { NeighbourSet, TrailCounts } from './neighbour-set.ts'
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

/** The time of the request, how rare pins are, and the interruption. */
export interface ScoringContext {
  readonly atMs: number
  readonly counts: TrailCounts
  readonly interruption: Interruption
}

const dayMs = 86_400_000
const maxSteps = 200

/** Adds the votes of a user's neighbours to a board. */
export interface NeighbourScorer {
  /** Clears the board and adds the votes of the trails that it reads before it is interrupted. */
  score(recent: RecentPins, set: NeighbourSet, at: ScoringContext): void
}

/**
 * Session neighbours: V-SKNN (Ludewig & Jannach 2018) with the weights of STAN (Garg et al. 2019) and VSTAN: later pins
 * of the user count more (exp(-step / λ₁)), younger trails count more (exp(-age / λ₂)), pins near the shared one count
 * more (exp(-distance / λ₃)), rare pins count more (idf), on both sides. The sums are made in an order that depends on
 * similarities, times and keys alone, so that a set merged from shards gives the same bits.
 */
export function createNeighbourScorer(board: ScoreBoard, parameters: NeighbourParameters): NeighbourScorer {
  let pinWeights = new Float64Array(0)
  let pinStamps = new Int32Array(0)
  let rarities = new Float64Array(0)
  let rarityStamps = new Int32Array(0)
  let similarities = new Float64Array(0)
  let order = new Int32Array(0)
  let stamp = 0
  const nearness = new Float64Array(2 * maxSteps + 1)
  for (let steps = -maxSteps; steps <= maxSteps; steps++) {
    const weight = Math.exp(-Math.abs(steps) / parameters.distanceDecaySteps)
    nearness[steps + maxSteps] = steps > 0 ? parameters.forwardWeight * weight : weight
  }

  function makeRoom(rows: number, candidates: number): void {
    if (rows > pinStamps.length) {
      const capacity = nextCapacity(pinStamps.length, rows)
      pinWeights = grownFloat64(pinWeights, capacity)
      pinStamps = grownInt32(pinStamps, capacity)
      rarities = grownFloat64(rarities, capacity)
      rarityStamps = grownInt32(rarityStamps, capacity)
    }
    if (candidates > order.length) {
      order = new Int32Array(nextCapacity(order.length, candidates))
      similarities = new Float64Array(order.length)
    }
  }

  function rarityOf(row: number, counts: TrailCounts): number {
    if (rarityStamps[row] !== stamp) {
      rarityStamps[row] = stamp
      rarities[row] = rarity(counts, row) ** parameters.rarityExponent
    }
    return rarities[row]!
  }

  return {
    score(recent, set, { atMs, counts, interruption }) {
      stamp++
      makeRoom(board.capacity(), set.count)
      for (let i = 0; i < recent.count; i++) {
        const row = recent.rows[i]!
        pinStamps[row] = stamp
        pinWeights[row] =
          Math.exp(-i / parameters.historyDecaySteps) * rarity(counts, row) ** parameters.sharedRarityExponent
      }
      const { starts, lengths, pinRows, lastAtMs } = set
      let scored = 0
      for (let c = 0; c < set.count; c++, scored++) {
        const start = starts[c]!
        const length = lengths[c]!
        if (interruption.due(length)) break
        let shared = 0
        for (let i = start; i < start + length; i++) {
          const row = pinRows[i]!
          if (pinStamps[row] === stamp) shared += pinWeights[row]!
        }
        const age = Math.max(0, atMs - lastAtMs[c]!) / dayMs
        similarities[c] = (shared / length ** parameters.lengthExponent) * Math.exp(-age / parameters.ageDecayDays)
        order[c] = c
      }
      const chosen = selectBest(order, { count: scored, limit: parameters.maxNeighbours }, (a, b) => {
        const difference = similarities[a]! - similarities[b]! || lastAtMs[a]! - lastAtMs[b]!
        return difference === 0 ? keyBefore(set, a, b) : difference > 0
      })
      board.clear()
      for (let n = 0; n < chosen; n++) {
        const c = order[n]!
        const similarity = similarities[c]!
        const start = starts[c]!
        const end = start + lengths[c]!
        // The most similar trail always votes, even if time is up.
        if (n > 0 && interruption.due(end - start)) break
        let anchor = start
        let anchorWeight = 0
        for (let i = start; i < end; i++) {
          const row = pinRows[i]!
          if (pinStamps[row] !== stamp || pinWeights[row]! < anchorWeight) continue
          anchorWeight = pinWeights[row]!
          anchor = i
        }
        for (let i = start; i < end; i++) {
          const row = pinRows[i]!
          const steps = Math.max(-maxSteps, Math.min(maxSteps, i - anchor))
          board.add(row, similarity * nearness[steps + maxSteps]! * rarityOf(row, counts))
        }
      }
    },
  }
}

function keyBefore(set: NeighbourSet, a: number, b: number): boolean {
  const high = set.keyHighs[a]! - set.keyHighs[b]!
  return high < 0 || (high === 0 && set.keyLows[a]! < set.keyLows[b]!)
}

function rarity(counts: TrailCounts, row: number): number {
  return Math.log(1 + counts.trailsEver / (1 + counts.countOf(row)))
}
