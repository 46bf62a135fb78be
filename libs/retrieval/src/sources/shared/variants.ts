import { rankIn } from '../../merge/calibration.ts'
import { createHits, type Hits } from '@freshet/columns/score-board'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import type { Adaptation, SourceQuery } from '../../source.ts'

const fewestComparisons = 24
const remembered = 256
const deepest = 300
/** A challenger must be better by this many standard errors and by this share, so that chance does not change answers. */
const surely = 2
const betterBy = 0.01

/** Several ways in which a source can answer; the source uses the one whose answers have been best. */
export interface Variants extends Adaptation {
  /** The current variant. */
  readonly chosen: number
  /** The variant that the next training example compares with the current one. */
  readonly challenger: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/**
 * Numbered variants; the first is the current one until another proves better. Each training example compares the current
 * variant with the next of the others. The gain of an answer is 1 / log₂(1 + rank) of the taken pin, 0 below rank 300;
 * differences count over about the last 256 comparisons.
 */
export function createVariants(
  count: number,
  answer: (variant: number, query: SourceQuery, hits: Hits) => void,
): Variants {
  const hits = createHits(deepest)
  // By challenger: comparisons, and the mean and the mean square of the differences.
  const comparisons = new Float64Array(count)
  const differences = new Float64Array(count)
  const squares = new Float64Array(count)
  let worth = 0
  let examples = 0
  let chosen = 0

  const challengerNow = (): number => (count === 1 ? 0 : (chosen + 1 + (examples % (count - 1))) % count)

  function isBetter(variant: number): boolean {
    const compared = comparisons[variant]!
    const difference = differences[variant]!
    if (compared < fewestComparisons || difference < betterBy * worth) return false
    const variance = squares[variant]! - difference * difference
    return difference > surely * Math.sqrt(variance / compared)
  }

  return {
    width: 3,
    get chosen() {
      return chosen
    },
    get challenger() {
      return challengerNow()
    },
    examine({ query, row, rank }, into) {
      const challenger = challengerNow()
      hits.count = 0
      answer(challenger, query, hits)
      into[0] = challenger
      into[1] = rank
      into[2] = rankIn(hits, row)
    },
    learn(example) {
      const challenger = example[0]!
      if (challenger < 0 || challenger >= count || challenger === chosen) return
      examples++
      const ours = worthOf(example[1] ?? -1)
      const difference = worthOf(example[2] ?? -1) - ours
      worth += (ours - worth) / Math.min(examples, remembered)
      comparisons[challenger] = Math.min(remembered, comparisons[challenger]! + 1)
      const step = 1 / (comparisons[challenger] ?? 1)
      differences[challenger] = differences[challenger]! + step * (difference - differences[challenger]!)
      squares[challenger] = squares[challenger]! + step * (difference * difference - squares[challenger]!)
      if (!isBetter(challenger)) return
      chosen = challenger
      comparisons.fill(0)
      differences.fill(0)
      squares.fill(0)
    },
    save(writer) {
      writer.f64('state', Float64Array.of(worth, examples, chosen))
      writer.f64('comparisons', comparisons)
      writer.f64('differences', differences)
      writer.f64('squares', squares)
    },
    load(reader) {
      const state = reader.f64('state')
      worth = state[0]!
      examples = state[1]!
      chosen = state[2]!
      comparisons.set(reader.f64('comparisons'))
      differences.set(reader.f64('differences'))
      squares.set(reader.f64('squares'))
    },
  }
}

function worthOf(rank: number): number {
  return rank < 0 ? 0 : 1 / Math.log2(2 + rank)
}
