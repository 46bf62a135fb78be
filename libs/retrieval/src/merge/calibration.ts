import { createRankTable } from './rank-table.ts'
import type { Hits } from '@freshet/columns/score-board'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** A source as the calibration sees it. */
export interface CalibratedSource {
  readonly name: string
  /** Its weight before anything is learned, relative to the other sources. */
  readonly share: number
  readonly maxCandidates: number
}

/** `silent`: the source found nothing. `missing`: it found other pins than the one taken. See `rankIn`. */
export const silent = -2
export const missing = -1

/** The rank of a pin in a source's answer, from 0; `missing` or `silent`. */
export function rankIn({ rows, count }: Hits, row: number): number {
  if (count === 0) return silent
  for (let i = 0; i < count; i++) if (rows[i] === row) return i
  return missing
}

/**
 * How often users took the pin at each rank of each source, learned from the log. Scores of two sources can't be
 * compared; how often their ranks were right can.
 */
export interface Calibration {
  /** Weight of the learned mixture against the fixed one: 0 up to `fewestSamples`, then n / (n + 64). */
  readonly part: number
  /** The worth of each rank of the n-th source, from 0: weight · P(the next pin is at this rank). Never rises with rank. */
  worthOf(source: number): Float64Array
  /** Counts the rank of a taken pin in each source's answer, see `rankIn`. */
  learn(ranks: Int32Array): void
  /** Number of training examples so far. */
  readonly samples: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Below this many samples nothing learned is used. */
export const fewestSamples = 32

const fixedMixtureSamples = 64
const priorWeightSamples = 64
const missed = 1e-6
const maxRemembered = 4096
const growth = 1.25
const mostBetweenUpdates = 512

/**
 * Learns from the last 4,096 training examples. Each source has a histogram over the logarithm of the rank, made
 * non-increasing (pool adjacent violators), and a weight: its mean responsibility for the taken pins, P(rank) ÷ Σ P(rank)
 * over all sources that answered, times their number, smoothed by 64 examples in which all were equally right. That is one
 * round of expectation maximisation from equal weights. More rounds make taken pins likelier but the first ranks worse,
 * because sources that agree are not independent witnesses.
 *
 * The worths change in steps, at sample counts that grow by a quarter (by 512 at most), and are rounded to quarters of a
 * doubling. So processes that fold the same users in another order mostly hold the same numbers. They may differ while
 * only one of them has taken a step, or when a sum is near the edge of a step.
 */
export function createCalibration(sources: readonly CalibratedSource[]): Calibration {
  const tables = sources.map((source) => createRankTable(source))
  const width = sources.length
  // A ring of the ranks of the last training examples.
  let examples = new Int32Array(0)
  let samples = 0
  let updateAt = fewestSamples
  let part = 0

  function update(): void {
    updateAt = Math.min(samples + mostBetweenUpdates, Math.ceil(samples * growth))
    const remembered = Math.min(samples, maxRemembered)
    part = remembered / (remembered + fixedMixtureSamples)
    for (const table of tables) table.clear()
    for (let at = 0; at < remembered * width; at++) {
      const rank = examples[at] ?? silent
      if (rank !== silent) tables[at % width]?.count(rank)
    }
    for (const table of tables) table.settle()
    const weights = computeWeights(remembered)
    tables.forEach((table, source) => table.weigh(weights[source] ?? 1))
  }

  function computeWeights(remembered: number): Float64Array {
    const right = new Float64Array(width).fill(priorWeightSamples)
    const answered = new Float64Array(width).fill(priorWeightSamples)
    const rates = new Float64Array(width)
    for (let from = 0; from < remembered * width; from += width) {
      let sources = 0
      let likelihood = 0
      for (let source = 0; source < width; source++) {
        const rank = examples[from + source] ?? silent
        rates[source] = rank === silent ? 0 : missed + (rank < 0 ? 0 : (tables[source]?.rateOf(rank) ?? 0))
        likelihood += rates[source]!
        if (rank !== silent) sources++
      }
      for (let source = 0; source < width; source++) {
        if (rates[source] === 0) continue
        right[source] = right[source]! + (sources * rates[source]!) / likelihood
        answered[source] = answered[source]! + 1
      }
    }
    return right.map((value, source) => value / (answered[source] ?? 1))
  }

  return {
    get part() {
      return part
    },
    get samples() {
      return samples
    },
    worthOf: (source) => tables[source]?.worth ?? new Float64Array(0),
    learn(ranks) {
      if (ranks.every((rank) => rank === silent)) return
      if (examples.length === 0) examples = new Int32Array(maxRemembered * width)
      examples.set(ranks, (samples++ % maxRemembered) * width)
      if (samples >= updateAt) update()
    },
    save(writer) {
      writer.json('samples', { samples, updateAt, part })
      writer.i32('lessons', examples)
      tables.forEach((table, at) => table.save(writer.under(sources[at]?.name ?? '')))
    },
    load(reader) {
      ;({ samples, updateAt, part } = reader.json('samples') as Record<'samples' | 'updateAt' | 'part', number>)
      examples = reader.i32('lessons')
      tables.forEach((table, at) => table.load(reader.under(sources[at]?.name ?? '')))
    },
  }
}
