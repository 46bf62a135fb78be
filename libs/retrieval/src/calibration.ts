import type { Hits } from './score-board.ts'
import type { SectionReader, SectionWriter } from './snapshot.ts'

/** A source as the calibration knows it. */
export interface CalibratedSource {
  readonly name: string
  /** What it is worth before anything is learned, relative to the others. */
  readonly share: number
  readonly maxCandidates: number
}

/** At the place of a source that had nothing to say, and of one that said other pins than the one taken, see `rankIn`. */
export const silent = -2
export const missing = -1

/** The rank of a pin in a source's answer, from 0; `missing` or `silent`. */
export function rankIn({ rows, count }: Hits, row: number): number {
  if (count === 0) return silent
  for (let i = 0; i < count; i++) if (rows[i] === row) return i
  return missing
}

/**
 * How often the pin that a user took stood at which rank of which source, learned from the log. One source's scores say
 * nothing beside another's; how often a rank of it was right does, whatever the data are like.
 */
export interface Calibration {
  /** Weight of what was learned against the fixed mixture: 0 up to `fewestSamples`, then n / (n + 64). */
  readonly part: number
  /** The worth of each rank of the n-th source, from 0: weight · P(the next pin is at this rank). Never rises with rank. */
  worthOf(source: number): Float64Array
  /** Counts at which rank each source had a pin before a user took it, see `rankIn`. */
  learn(ranks: Int32Array): void
  /** Answers learned from, ever. */
  readonly samples: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Below this many samples nothing learned is used. */
export const fewestSamples = 32

const fixedMixtureSamples = 64
const bucketsPerDoubling = 1.5
const priorSamples = 10
const priorHitRate = 0.1
const priorRankOffset = 10
const priorWeightSamples = 64
const missed = 1e-6
const maxRemembered = 4096
const stepsPerDoubling = 4
const growth = 1.25
const mostBetweenUpdates = 512

/** Ranks up to the most a source may be configured to give. */
const mostBuckets = 21
const bucketOf = (rank: number): number => Math.floor(Math.log2(rank + 1) * bucketsPerDoubling)

/**
 * Per source a histogram over the logarithm of the rank, made non-increasing (pool adjacent violators), and a weight by
 * expectation maximisation of the mixture, damped: (64 + Σ responsibility) / (64 + Σ weight), both times the number of
 * sources that answered. After 4,096 samples old ones count half.
 *
 * What is learned is applied in steps, at sample counts that grow by a quarter (by 512 at most), and rounded to quarters
 * of a doubling, so that processes that fold the same users in another order mostly hold the same numbers. While one has
 * taken a step and another has not, or where a sum is near the edge of a step, they may differ.
 */
export function createCalibration(sources: readonly CalibratedSource[]): Calibration {
  const tables = sources.map((source) => createRankTable(source))
  // Of each source: Σ responsibility, Σ weight, the weight in use.
  const responsibilities = new Float64Array(sources.length)
  const exposures = new Float64Array(sources.length)
  const weights = new Float64Array(sources.length).fill(1)
  let samples = 0
  let remembered = 0
  let updateAt = fewestSamples
  let part = 0

  function update(): void {
    updateAt = Math.min(samples + mostBetweenUpdates, Math.ceil(samples * growth))
    part = remembered / (remembered + fixedMixtureSamples)
    tables.forEach((table, at) => {
      weights[at] = (priorWeightSamples + (responsibilities[at] ?? 0)) / (priorWeightSamples + (exposures[at] ?? 0))
      table.update(weights[at] ?? 1)
    })
  }

  function forget(): void {
    remembered /= 2
    for (const column of [responsibilities, exposures]) column.forEach((value, at) => (column[at] = value / 2))
    for (const table of tables) table.forget()
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
      let weightSum = 0
      let likelihood = 0
      let answered = 0
      const of = (source: number, rank: number): number =>
        (rank < 0 ? 0 : (tables[source]?.worth[rank] ?? 0)) + missed * (weights[source] ?? 1)
      ranks.forEach((rank, source) => {
        if (rank === silent) return
        answered++
        weightSum += weights[source] ?? 1
        likelihood += of(source, rank)
      })
      if (answered === 0) return
      ranks.forEach((rank, source) => {
        if (rank === silent) return
        responsibilities[source] = (responsibilities[source] ?? 0) + (answered * of(source, rank)) / likelihood
        exposures[source] = (exposures[source] ?? 0) + (answered * (weights[source] ?? 1)) / weightSum
        tables[source]?.count(rank)
      })
      samples++
      if (++remembered >= maxRemembered) forget()
      if (samples >= updateAt) update()
    },
    save(writer) {
      writer.json('samples', { samples, remembered, updateAt, part })
      writer.f64('responsibilities', responsibilities)
      writer.f64('exposures', exposures)
      writer.f64('weights', weights)
      tables.forEach((table, at) => table.save(writer.under(sources[at]?.name ?? '')))
    },
    load(reader) {
      ;({ samples, remembered, updateAt, part } = reader.json('samples') as Record<
        'samples' | 'remembered' | 'updateAt' | 'part',
        number
      >)
      responsibilities.set(reader.f64('responsibilities'))
      exposures.set(reader.f64('exposures'))
      weights.set(reader.f64('weights'))
      tables.forEach((table, at) => table.load(reader.under(sources[at]?.name ?? '')))
    },
  }
}

interface RankTable {
  readonly worth: Float64Array
  count(rank: number): void
  update(weight: number): void
  forget(): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

function createRankTable({ share, maxCandidates }: CalibratedSource): RankTable {
  const widths = new Float64Array(mostBuckets)
  // The mean logarithm of the ranks of a bucket: between two of them worths are interpolated.
  const centres = new Float64Array(mostBuckets)
  const prior = new Float64Array(mostBuckets)
  let priorSum = 0
  for (let rank = 0; rank < maxCandidates; rank++) priorSum += 1 / (rank + priorRankOffset)
  for (let rank = 0; rank < maxCandidates; rank++) {
    const bucket = bucketOf(rank)
    widths[bucket] = (widths[bucket] ?? 0) + 1
    centres[bucket] = (centres[bucket] ?? 0) + Math.log(rank + 1)
    prior[bucket] = (prior[bucket] ?? 0) + (priorSamples * priorHitRate * share) / ((rank + priorRankOffset) * priorSum)
  }
  const used = [...widths.keys()].filter((bucket) => (widths[bucket] ?? 0) > 0)
  for (const bucket of used) centres[bucket] = (centres[bucket] ?? 0) / (widths[bucket] ?? 1)
  const taken = new Float64Array(mostBuckets)
  const logWorths = new Float64Array(mostBuckets)
  const worth = new Float64Array(maxCandidates)
  let asked = 0

  /** P(taken | rank) by bucket, never rising: neighbours that would rise are taken together. */
  function rates(): readonly number[] {
    const groups: { sum: number; width: number; buckets: number }[] = []
    for (const bucket of used) {
      let group = {
        sum: ((taken[bucket] ?? 0) + (prior[bucket] ?? 0)) / (asked + priorSamples),
        width: widths[bucket] ?? 1,
        buckets: 1,
      }
      for (let last = groups.at(-1); last && last.sum * group.width < group.sum * last.width; last = groups.at(-1)) {
        groups.pop()
        group = { sum: last.sum + group.sum, width: last.width + group.width, buckets: last.buckets + group.buckets }
      }
      groups.push(group)
    }
    return groups.flatMap(({ sum, width, buckets }) => new Array<number>(buckets).fill(sum / width))
  }

  function interpolate(): void {
    let at = 0
    for (let rank = 0; rank < maxCandidates; rank++) {
      const log = Math.log(rank + 1)
      while (at < used.length - 2 && log > (centres[used[at + 1] ?? 0] ?? 0)) at++
      const [from, to] = [used[at] ?? 0, used[at + 1] ?? used[at] ?? 0]
      const distance = (centres[to] ?? 0) - (centres[from] ?? 0)
      const ahead = distance > 0 ? Math.min(1, Math.max(0, (log - (centres[from] ?? 0)) / distance)) : 0
      const before = logWorths[from] ?? 0
      const after = logWorths[to] ?? 0
      // A share of 0 of which nothing was taken has no worth, and no logarithm.
      worth[rank] = ahead === 0 ? 2 ** before : after === -Infinity ? 0 : 2 ** (before + ahead * (after - before))
    }
  }

  function update(weight: number): void {
    rates().forEach((rate, i) => {
      logWorths[used[i] ?? 0] = Math.round(Math.log2(rate * weight) * stepsPerDoubling) / stepsPerDoubling
    })
    interpolate()
  }

  update(1)
  return {
    worth,
    count(rank) {
      asked++
      if (rank >= 0) taken[bucketOf(rank)] = (taken[bucketOf(rank)] ?? 0) + 1
    },
    update,
    forget() {
      asked /= 2
      taken.forEach((value, bucket) => (taken[bucket] = value / 2))
    },
    save(writer) {
      writer.json('asked', asked)
      writer.f64('taken', taken)
      writer.f64('logWorths', logWorths)
    },
    load(reader) {
      asked = reader.json('asked') as number
      taken.set(reader.f64('taken'))
      logWorths.set(reader.f64('logWorths'))
      interpolate()
    },
  }
}
