/** The ranks of a question's targets in the answer. */
export interface Outcome {
  /** Ranks of the targets in the answer, 1 = first; 0 = not in it. */
  readonly ranks: readonly number[]
  readonly group: string | null
  /** The first pins of the answer, as many as the largest k. */
  readonly top: readonly string[]
}

/** Figures of one set of questions, e.g. `hr@20`, all in [0, 1]. */
export type Figures = Readonly<Record<string, number>>

export interface Metrics {
  add(outcome: Outcome): void
  /** Over all questions. */
  total(): Figures
  byGroup(): Readonly<Record<string, Figures & { readonly questions: number }>>
  /** The mean of the groups' figures; all groups have the same weight. */
  meanOverGroups(): Figures
  /** Number of different pins among the first k of all answers, per k. */
  coverage(): Readonly<Record<string, number>>
}

/**
 * Sums HR@k (share of targets among the first k), MRR@k (mean of 1/rank of the best target, 0 beyond k) and NDCG@k
 * (gain 1 for each target, discount 1/log₂(1+rank), against the best possible order).
 */
export function createMetrics(cutoffs: readonly number[]): Metrics {
  const total = createSums(cutoffs)
  const groups = new Map<string, Sums>()
  const covered = cutoffs.map(() => new Set<string>())
  return {
    add(outcome) {
      total.add(outcome.ranks)
      if (outcome.group !== null) {
        let sums = groups.get(outcome.group)
        if (sums === undefined) groups.set(outcome.group, (sums = createSums(cutoffs)))
        sums.add(outcome.ranks)
      }
      cutoffs.forEach((k, at) => {
        for (const pin of outcome.top.slice(0, k)) covered[at]!.add(pin)
      })
    },
    total: () => total.figures(),
    byGroup: () =>
      Object.fromEntries([...groups].map(([name, sums]) => [name, { questions: sums.count(), ...sums.figures() }])),
    meanOverGroups() {
      const all = [...groups.values()].map((sums) => sums.figures())
      if (all.length === 0) return {}
      const names = Object.keys(all[0]!)
      return Object.fromEntries(
        names.map((name) => [name, all.reduce((sum, figures) => sum + figures[name]!, 0) / all.length]),
      )
    },
    coverage: () => Object.fromEntries(cutoffs.map((k, at) => [`coverage@${k}`, covered[at]!.size])),
  }
}

interface Sums {
  add(ranks: readonly number[]): void
  count(): number
  figures(): Figures
}

function createSums(cutoffs: readonly number[]): Sums {
  let count = 0
  const hits = cutoffs.map(() => 0)
  const reciprocal = cutoffs.map(() => 0)
  const gain = cutoffs.map(() => 0)
  return {
    count: () => count,
    add(ranks) {
      count++
      cutoffs.forEach((k, at) => {
        const found = ranks.filter((rank) => rank > 0 && rank <= k)
        if (found.length === 0) return
        hits[at]! += found.length / ranks.length
        reciprocal[at]! += 1 / Math.min(...found)
        gain[at]! +=
          found.reduce((sum, rank) => sum + 1 / Math.log2(1 + rank), 0) / idealGain(Math.min(ranks.length, k))
      })
    },
    figures() {
      const figures: Record<string, number> = {}
      cutoffs.forEach((k, at) => {
        figures[`hr@${k}`] = ratio(hits[at]!, count)
        figures[`mrr@${k}`] = ratio(reciprocal[at]!, count)
        figures[`ndcg@${k}`] = ratio(gain[at]!, count)
      })
      return figures
    },
  }
}

function idealGain(targets: number): number {
  let sum = 0
  for (let rank = 1; rank <= targets; rank++) sum += 1 / Math.log2(1 + rank)
  return sum
}

function ratio(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count
}
