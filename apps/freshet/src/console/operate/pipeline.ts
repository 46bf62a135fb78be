import type { StageReport } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { Surface, surfaceToJSON } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { sumsBy, type Series } from './metrics-text.ts'

/** What a stage did, in one feed or on average over feeds. */
export interface StageFlow {
  readonly stage: string
  readonly candidatesIn: number
  readonly candidatesOut: number
  /** Milliseconds; null: nobody measures it. */
  readonly tookMs: number | null
  /** Removed candidates by reason. */
  readonly removed: Readonly<Record<string, number>>
  /** Error codes of runs that failed or were left out, with their share of the runs. */
  readonly errors: Readonly<Record<string, number>>
  /** The share of the feeds that have the stage. */
  readonly share: number
}

/** The stages of one feed. */
export function flowOfFeed(stages: readonly StageReport[]): readonly StageFlow[] {
  return stages.map(({ stage, candidatesIn, candidatesOut, tookUs, removed, error }) => ({
    ...{ stage, candidatesIn, candidatesOut, removed },
    tookMs: tookUs / 1_000,
    errors: error === '' ? {} : { [error]: 1 },
    share: 1,
  }))
}

interface Sums {
  runs: number
  candidatesIn: number
  candidatesOut: number
  tookUs: number
  readonly removed: Map<string, number>
  readonly errors: Map<string, number>
  /** Where it stands in its feeds, from 0 (first) to 1. */
  place: number
}

/** The mean of the stages over feeds, in the order in which they run. A stage that ran twice in a feed, as for a second page, counts twice. */
export function averageFlow(feeds: readonly { readonly stages: readonly StageReport[] }[]): readonly StageFlow[] {
  const stages = new Map<string, Sums>()
  for (const feed of feeds) {
    feed.stages.forEach((report, at) => {
      const sums = stages.get(report.stage) ?? emptySums()
      stages.set(report.stage, sums)
      sums.runs++
      sums.candidatesIn += report.candidatesIn
      sums.candidatesOut += report.candidatesOut
      sums.tookUs += report.tookUs
      sums.place += at / Math.max(1, feed.stages.length - 1)
      for (const [reason, count] of Object.entries(report.removed)) add(sums.removed, reason, count)
      if (report.error !== '') add(sums.errors, report.error, 1)
    })
  }
  const inOrder = [...stages].toSorted(([, a], [, b]) => a.place / a.runs - b.place / b.runs)
  return inOrder.map(([stage, sums]) => ({
    stage,
    candidatesIn: sums.candidatesIn / sums.runs,
    candidatesOut: sums.candidatesOut / sums.runs,
    tookMs: sums.tookUs / sums.runs / 1_000,
    removed: dividedBy(sums.removed, sums.runs),
    errors: dividedBy(sums.errors, sums.runs),
    share: sums.runs / feeds.length,
  }))
}

/** Feeds of one kind and their mean. */
export interface FeedKind {
  /** The surface, and the pipeline that made the page if it is not the usual one: `home, next-page`. */
  readonly kind: string
  readonly feeds: number
  readonly stages: readonly StageFlow[]
}

/** The mean of the stages by kind of request, the most frequent first: later pages and fallbacks run other stages, so a mean over all of them says nothing. */
export function flowsByKind(
  feeds: readonly { readonly surface: Surface; readonly stages: readonly StageReport[] }[],
): readonly FeedKind[] {
  const kinds = Map.groupBy(feeds, ({ surface, stages }) => {
    const name =
      surface === Surface.UNSPECIFIED ? 'other' : surfaceToJSON(surface).replace('SURFACE_', '').toLowerCase()
    const [pipeline] = /^[^/]+(?=\/)/.exec(stages.at(-1)?.stage ?? '') ?? []
    return pipeline === undefined ? name : `${name}, ${pipeline}`
  })
  return [...kinds]
    .map(([kind, of]) => ({ kind, feeds: of.length, stages: averageFlow(of) }))
    .toSorted((a, b) => b.feeds - a.feeds || a.kind.length - b.kind.length)
}

/** A pipeline by the metrics of the blenders, since their start. */
export interface MeteredPipeline {
  readonly pipeline: string
  /** Runs of its stage that runs most. */
  readonly runs: number
  readonly stages: readonly StageFlow[]
}

/** What the stages did on average, by metrics alone. Only stages that call other services have times. Stages come in the order of the series, which is the order of their first run. */
export function meteredPipelines(series: readonly Series[]): readonly MeteredPipeline[] {
  const of = (name: string, pipeline: string) =>
    series.filter((each) => each.name === name && each.labels['pipeline'] === pipeline)
  return Object.keys(sumsBy(series, 'freshet_feed_stages_total', 'pipeline')).map((pipeline) => {
    const ran = of('freshet_feed_stages_total', pipeline)
    const runsBy = sumsBy(ran, 'freshet_feed_stages_total', 'stage')
    const most = Math.max(...Object.values(runsBy))
    const stages = Object.entries(runsBy).map(([stage, runs]): StageFlow => {
      const ofStage = (name: string) => of(name, pipeline).filter(({ labels }) => labels['stage'] === stage)
      const candidates = sumsBy(ofStage('freshet_feed_candidates_total'), 'freshet_feed_candidates_total', 'reason')
      const { kept = 0, ...removed } = candidates
      const lost = Object.values(removed).reduce((sum, count) => sum + count, 0)
      const [seconds, timed] = ['_sum', '_count'].map((end) =>
        ofStage(`freshet_feed_stage_seconds${end}`).reduce((sum, { value }) => sum + value, 0),
      ) as [number, number]
      const { none: _none, ...codes } = sumsBy(
        ofStage('freshet_feed_stages_total'),
        'freshet_feed_stages_total',
        'code',
      )
      return {
        stage,
        candidatesIn: (kept + lost) / runs,
        candidatesOut: kept / runs,
        tookMs: timed === 0 ? null : (1_000 * seconds) / timed,
        removed: dividedBy(new Map(Object.entries(removed)), runs),
        errors: dividedBy(new Map(Object.entries(codes)), runs),
        share: runs / most,
      }
    })
    return { pipeline, runs: most, stages }
  })
}

function emptySums(): Sums {
  const zeros = { runs: 0, candidatesIn: 0, candidatesOut: 0, tookUs: 0, place: 0 }
  return { ...zeros, removed: new Map(), errors: new Map() }
}

function add(sums: Map<string, number>, name: string, count: number): void {
  sums.set(name, (sums.get(name) ?? 0) + count)
}

function dividedBy(sums: ReadonlyMap<string, number>, by: number): Readonly<Record<string, number>> {
  return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / by]))
}
