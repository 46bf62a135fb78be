import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { createDecayedCounts } from '@freshet/columns/decayed-counts'
import { selectorInto } from '@freshet/columns/score-board'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createTopList, type TopList } from '@freshet/columns/top-list'

/** Parameters of the trending source. */
export type TrendingParameters = {
  /** The present: after this long an action counts half. */
  readonly presentHalfLifeMs: number
  /** A pin's own past: after this long an action counts half. */
  readonly pastHalfLifeMs: number
  /** Standard deviations above its past from which a pin is trending. */
  readonly minDeviations: number
  /** Pins kept in the list of those most touched at present. */
  readonly maxListed: number
}

const hourMs = 3_600_000

/**
 * Pins that more users turn to now than their own past explains: present rate against past rate, in standard deviations
 * of a Poisson count. Each user counts once for each pin, so that one user makes no trend. Scores are the part of all present actions that is above the pin's past.
 */
export const trending: SourceDefinition<TrendingParameters> = {
  name: 'trending',
  description: "Pins that more users take now than the pins' own past explains.",
  enabled: true,
  maxCandidates: 50,
  share: 0.3,
  parameters: {
    presentHalfLifeMs: wholeSetting(6 * hourMs, {
      description: 'An action counts half for the present after this time',
      unit: 'ms',
      min: 1,
      max: 87_600 * hourMs,
    }),
    pastHalfLifeMs: wholeSetting(14 * 24 * hourMs, {
      description: 'An action counts half for the past of its pin after this time',
      unit: 'ms',
      min: 1,
      max: 87_600 * hourMs,
    }),
    minDeviations: numberSetting(3, {
      description: 'A pin is trending when its present is this many standard deviations above its past',
      unit: 'deviations',
      min: 0,
      max: 1_000,
    }),
    maxListed: wholeSetting(400, {
      description: 'Pins kept in the list of the most touched pins',
      unit: 'pins',
      min: 1,
      max: 100_000,
    }),
  },
  create: createTrending,
}

function createTrending({ catalogue, graph }: SharedViews, parameters: TrendingParameters): Source {
  const { presentHalfLifeMs, pastHalfLifeMs, minDeviations, maxListed } = parameters
  const present = createDecayedCounts(presentHalfLifeMs)
  const past = createDecayedCounts(pastHalfLifeMs)
  // Which tells a user's first touch of a pin, on every shard the same.
  graph()
  const listOptions = { order: catalogue, maxListed, keyOf: present.weightOf, admits: catalogue.isShown }
  let list: TopList = createTopList(listOptions)

  const rows = new Int32Array(maxListed)
  const presentCounts = new Float64Array(maxListed)
  const pastCounts = new Float64Array(maxListed)

  // What the present counter would hold had the past rate gone on: rates are counter · ln 2 / halfLife.
  function excessOf(now: number, ever: number): number {
    const before = (ever - now) * (presentHalfLifeMs / (pastHalfLifeMs - presentHalfLifeMs))
    const expected = Math.max(0, before)
    return now - expected > minDeviations * Math.sqrt(expected + 1) ? now - expected : 0
  }

  return {
    name: 'trending',
    scale: 'probability',
    foldEngagement({ engagement, row, isCounted }) {
      if (!isCounted) return
      present.add(row, engagement.occurredAtMs)
      past.add(row, engagement.occurredAtMs)
      list.raised(row)
    },
    withdraw({ row, uncounted }) {
      for (const atMs of uncounted) {
        present.take(row, atMs)
        past.take(row, atMs)
      }
      list.lowered(row)
    },
    foldPin(row) {
      list.changed(row)
    },
    foldShown(row) {
      list.changed(row)
    },
    letGo(row) {
      list.changed(row)
      present.forget(row)
      past.forget(row)
    },
    query(query, hits) {
      const best = selectorInto(catalogue, query.limit, hits)
      const total = present.totalAt(query.atMs)
      const { size } = list
      for (let i = 0; i < size; i++) rows[i] = list.rowAt(i)
      present.readCounts(rows, size, { atMs: query.atMs, into: presentCounts })
      past.readCounts(rows, size, { atMs: query.atMs, into: pastCounts })
      for (let i = 0; i < size; i++) {
        const excess = excessOf(presentCounts[i]!, pastCounts[i]!)
        if (excess > 0) best.offer(rows[i]!, excess / total, query.accept)
      }
      best.finish()
    },
    bytes: () =>
      present.bytes() +
      past.bytes() +
      list.bytes() +
      rows.byteLength +
      presentCounts.byteLength +
      pastCounts.byteLength,
    save(writer) {
      present.save(writer.under('present'))
      past.save(writer.under('past'))
    },
    load(reader) {
      present.load(reader.under('present'))
      past.load(reader.under('past'))
      list = createTopList(listOptions)
      for (let row = 0; row < catalogue.size; row++) list.raised(row)
    },
  }
}
