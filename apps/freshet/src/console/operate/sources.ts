import { float32Column, uint32Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { bitOf, type PinLabels } from '@freshet/trainer/joiner/labels'
import { readJoinedFeeds } from '../../experiments/joined-feeds.ts'
import { sumsBy, type Series } from './metrics-text.ts'
import { newestPositions, partitionsAtOnce } from './recent-feeds.ts'

/** What a source added to the feeds of a time. */
export interface SourceShare {
  readonly source: string
  /** Served pins that it found. */
  readonly pins: number
  /** Served pins that no other source found. */
  readonly alone: number
  /** Sum over its pins of 1 / (number of sources that found the pin): the credits of all sources sum to the pins. */
  readonly credit: number
  readonly saves: number
  readonly clicks: number
  readonly hides: number
  /** Saves with the same division. */
  readonly saveCredit: number
  /** Mean utility of its pins; null: no feed was ranked. */
  readonly utility: number | null
}

/** What a query of a source costs, since the start of the candidate services. */
export interface SourceCost {
  readonly source: string
  readonly queries: number
  readonly meanMs: number
  /** Queries by outcome: answered, empty, timed-out, failed. */
  readonly outcomes: Readonly<Record<string, number>>
}

/** The sources of the served feeds. */
export interface SourcesReport {
  readonly feeds: number
  readonly users: number
  readonly pins: number
  readonly saves: number
  /** Of the oldest and the newest feed, milliseconds since the epoch; null: there is none. */
  readonly fromMs: number | null
  readonly toMs: number | null
  /** Whether older feeds of the time were left out. */
  readonly isCut: boolean
  readonly sources: readonly SourceShare[]
  /** `overlap[i][j]`: served pins that both source i and source j found, in the order of `sources`. */
  readonly overlap: readonly (readonly number[])[]
}

/** Which feeds to read. */
export interface SourcesOptions {
  readonly log: EventLog
  readonly sinceMs: number
  readonly maxFeeds: number
  /** Actions within this time after a feed count, milliseconds. */
  readonly windowMs: number
  readonly onError: (error: Error) => void
  readonly signal: AbortSignal
}

interface Facts {
  readonly userId: string
  readonly atMs: number
  readonly sources: readonly string[]
  readonly foundBy: Uint32Array
  readonly utilities: Float32Array
}

/** Engagements read for each feed at most, on average. */
const actsPerFeed = 200

/** Reads the newest feeds and what users did with their pins, by the rules of the trainer's joiner. */
export async function readSources(options: SourcesOptions): Promise<SourcesReport> {
  const { log, sinceMs, maxFeeds, signal } = options
  const startOf = async (topic: string, most: number): Promise<{ at: readonly number[]; isCut: boolean }> => {
    const [inTime, newest, ends] = await Promise.all([
      log.positionsAt(topic, sinceMs, { signal }),
      newestPositions(log, topic, most, signal),
      log.ends(topic, { signal }),
    ])
    const at = ends.map((_, partition) => Math.max(inTime[partition] ?? 0, newest[partition] ?? 0))
    return { at, isCut: at.some((start, partition) => start > (inTime[partition] ?? 0)) }
  }
  const [feeds, acts] = await Promise.all([
    startOf('feeds-served.v1', maxFeeds),
    startOf('engagements.v1', actsPerFeed * maxFeeds),
  ])
  const sums = createSums()
  await readJoinedFeeds<Facts>({
    ...{ log, atOnce: partitionsAtOnce, windowMs: options.windowMs, signal, onError: options.onError },
    startAt: (topic, partition) => (topic === 'feeds-served.v1' ? feeds : acts).at[partition] ?? null,
    pick: (served) => (served.atMs < sinceMs ? null : factsOf(served)),
    onFeed: (facts, labels) => sums.add(facts, labels),
  })
  return { ...sums.report(), isCut: feeds.isCut }
}

function factsOf({ userId, sessionId, atMs, sources, foundBy, utilities }: FeedServed): Facts {
  const columns = { foundBy: uint32Column(foundBy), utilities: float32Column(utilities) }
  return { userId: userId === '' ? `session/${sessionId}` : userId, atMs, sources, ...columns }
}

interface SourceSums {
  pins: number
  alone: number
  credit: number
  saves: number
  clicks: number
  hides: number
  saveCredit: number
  utility: number
  ranked: number
  readonly overlap: Map<string, number>
}

function createSums() {
  const bySource = new Map<string, SourceSums>()
  const users = new Set<string>()
  let [feeds, pins, saves] = [0, 0, 0]
  let [fromMs, toMs] = [Infinity, -Infinity]
  const sumsOf = (source: string): SourceSums => {
    const known = bySource.get(source)
    if (known !== undefined) return known
    const zeros = { pins: 0, alone: 0, credit: 0, saves: 0, clicks: 0, hides: 0, saveCredit: 0, utility: 0, ranked: 0 }
    const made = { ...zeros, overlap: new Map<string, number>() }
    bySource.set(source, made)
    return made
  }

  return {
    add({ userId, atMs, sources, foundBy, utilities }: Facts, labels: readonly PinLabels[]): void {
      feeds++
      users.add(userId)
      fromMs = Math.min(fromMs, atMs)
      toMs = Math.max(toMs, atMs)
      labels.forEach(({ bits }, row) => {
        const by = sources.filter((_, bit) => (((foundBy[row] ?? 0) >>> bit) & 1) === 1)
        const did = (action: 'save' | 'click' | 'hide'): number => ((bits & bitOf(action)) === 0 ? 0 : 1)
        pins++
        saves += did('save')
        for (const source of by) {
          const sums = sumsOf(source)
          sums.pins++
          if (by.length === 1) sums.alone++
          sums.credit += 1 / by.length
          sums.saves += did('save')
          sums.clicks += did('click')
          sums.hides += did('hide')
          sums.saveCredit += did('save') / by.length
          const utility = utilities[row]
          if (utility !== undefined && !Number.isNaN(utility)) {
            sums.utility += utility
            sums.ranked++
          }
          for (const other of by) sums.overlap.set(other, (sums.overlap.get(other) ?? 0) + 1)
        }
      })
    },
    report(): Omit<SourcesReport, 'isCut'> {
      const ordered = [...bySource].toSorted(([, a], [, b]) => b.credit - a.credit)
      return {
        ...{ feeds, users: users.size, pins, saves },
        fromMs: feeds === 0 ? null : fromMs,
        toMs: feeds === 0 ? null : toMs,
        sources: ordered.map(([source, { overlap: _overlap, utility, ranked, ...sums }]) => ({
          source,
          ...sums,
          utility: ranked === 0 ? null : utility / ranked,
        })),
        overlap: ordered.map(([, { overlap }]) => ordered.map(([other]) => overlap.get(other) ?? 0)),
      }
    },
  }
}

/** The costs of the sources by the metrics of the candidate services, the dearest first. */
export function sourceCosts(series: readonly Series[]): readonly SourceCost[] {
  const counts = sumsBy(series, 'freshet_source_seconds_count', 'source')
  const seconds = sumsBy(series, 'freshet_source_seconds_sum', 'source')
  const ofSource = (source: string): readonly Series[] => series.filter(({ labels }) => labels['source'] === source)
  return Object.entries(counts)
    .map(([source, queries]) => ({
      source,
      queries,
      meanMs: queries === 0 ? 0 : (1_000 * (seconds[source] ?? 0)) / queries,
      outcomes: sumsBy(ofSource(source), 'freshet_sources_total', 'outcome'),
    }))
    .toSorted((a, b) => b.meanMs - a.meanMs)
}
