import { orZero } from '@freshet/columns/or-zero'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

const bucketsPerDoubling = 1.5
const priorSamples = 10
const priorHitRate = 0.1
const priorRankOffset = 10
const stepsPerDoubling = 4

/** The most candidates that a source may be configured to give. */
const mostBuckets = 21
const bucketOf = (rank: number): number => Math.floor(Math.log2(rank + 1) * bucketsPerDoubling)

/** P(the user takes the pin at this rank) of one source, from counts over the logarithm of the rank. */
export interface RankTable {
  /** Rate times weight of each rank, from 0, in steps of a quarter of a doubling. Never rises. */
  readonly worth: Float64Array
  /** The rate of a rank as of the last `update`; 0 beyond the most candidates. */
  rateOf(rank: number): number
  /** Forgets all counts. */
  clear(): void
  /** Counts an answer by the rank of the taken pin in it; below 0: the answer did not hold the pin. */
  count(rank: number): void
  /** Computes the rates from the counts. */
  settle(): void
  /** Sets the worths to the rates times a weight. */
  weigh(weight: number): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** A table without counts, of weight 1. `share` is the prior weight of the source. */
export function createRankTable({
  share,
  maxCandidates,
}: {
  readonly share: number
  readonly maxCandidates: number
}): RankTable {
  const widths = new Float64Array(mostBuckets)
  // The mean logarithm of the ranks of each bucket; worths are interpolated between two of them.
  const centres = new Float64Array(mostBuckets)
  const prior = new Float64Array(mostBuckets)
  let priorSum = 0
  for (let rank = 0; rank < maxCandidates; rank++) priorSum += 1 / (rank + priorRankOffset)
  for (let rank = 0; rank < maxCandidates; rank++) {
    const bucket = bucketOf(rank)
    widths[bucket] = widths[bucket]! + 1
    centres[bucket] = centres[bucket]! + Math.log(rank + 1)
    prior[bucket] = prior[bucket]! + (priorSamples * priorHitRate * share) / ((rank + priorRankOffset) * priorSum)
  }
  const used = [...widths.keys()].filter((bucket) => widths[bucket]! > 0)
  for (const bucket of used) centres[bucket] = centres[bucket]! / (widths[bucket] ?? 1)
  const taken = new Float64Array(mostBuckets)
  const logWorths = new Float64Array(mostBuckets)
  const worth = new Float64Array(maxCandidates)
  const rates = new Float64Array(mostBuckets)
  let asked = 0

  // Pools adjacent buckets whose rates would rise.
  function settle(): void {
    const groups: { sum: number; width: number; buckets: number }[] = []
    for (const bucket of used) {
      let group = {
        sum: (taken[bucket]! + prior[bucket]!) / (asked + priorSamples),
        width: widths[bucket] ?? 1,
        buckets: 1,
      }
      for (let last = groups.at(-1); last && last.sum * group.width < group.sum * last.width; last = groups.at(-1)) {
        groups.pop()
        group = { sum: last.sum + group.sum, width: last.width + group.width, buckets: last.buckets + group.buckets }
      }
      groups.push(group)
    }
    let at = 0
    for (const { sum, width, buckets } of groups) for (let i = 0; i < buckets; i++) rates[used[at++]!] = sum / width
  }

  function interpolate(): void {
    let at = 0
    for (let rank = 0; rank < maxCandidates; rank++) {
      const log = Math.log(rank + 1)
      while (at < used.length - 2 && log > centres[used[at + 1]!]!) at++
      const [from, to] = [used[at]!, used[at + 1] ?? used[at] ?? 0]
      const distance = centres[to]! - centres[from]!
      const ahead = distance > 0 ? Math.min(1, Math.max(0, (log - centres[from]!) / distance)) : 0
      const before = logWorths[from]!
      const after = logWorths[to]!
      // A source of share 0 from which users took nothing has no worth, and the worth no logarithm.
      worth[rank] = ahead === 0 ? 2 ** before : after === -Infinity ? 0 : 2 ** (before + ahead * (after - before))
    }
  }

  function weigh(weight: number): void {
    for (const bucket of used)
      logWorths[bucket] = Math.round(Math.log2(rates[bucket]! * weight) * stepsPerDoubling) / stepsPerDoubling
    interpolate()
  }

  settle()
  weigh(1)
  return {
    worth,
    rateOf: (rank) => orZero(rates[bucketOf(rank)]),
    clear() {
      asked = 0
      taken.fill(0)
    },
    count(rank) {
      asked++
      if (rank >= 0) taken[bucketOf(rank)] = taken[bucketOf(rank)]! + 1
    },
    settle,
    weigh,
    save(writer) {
      writer.f64('logWorths', logWorths)
    },
    load(reader) {
      logWorths.set(reader.f64('logWorths'))
      interpolate()
    },
  }
}
