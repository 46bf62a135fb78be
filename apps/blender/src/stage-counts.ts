import type { StageRecord } from '@freshet/pipeline/record'
import type { Metrics } from '@freshet/service/metrics'

/** Counts of what stages did since the last scrape. */
export interface StageCounts {
  add(pipeline: string, record: StageRecord): void
}

interface CountsOfStage {
  kept: number
  /** Runs without an error, which most are. */
  ran: number
  /** Other runs by outcome, then by code. */
  readonly others: Map<string, Map<string, number>>
  /** Removed candidates by reason. */
  readonly removed: Map<string, number>
}

/** Keeps the counts by the names that records have, which are always the same strings, and passes them to the registry at each scrape. */
export function createStageCounts(metrics: Metrics): StageCounts {
  const stages = metrics.counter('freshet_feed_stages_total')
  const candidates = metrics.counter('freshet_feed_candidates_total')
  const pipelines = new Map<string, Map<string, CountsOfStage>>()

  metrics.beforeScrape(() => {
    for (const [pipeline, counts] of pipelines) for (const [stage, of] of counts) pass({ pipeline, stage }, of)
    pipelines.clear()
  })

  function pass(labels: { readonly pipeline: string; readonly stage: string }, counts: CountsOfStage): void {
    if (counts.ran > 0) stages.inc({ ...labels, outcome: 'ran', code: 'none' }, counts.ran)
    for (const [outcome, codes] of counts.others)
      for (const [code, count] of codes) stages.inc({ ...labels, outcome, code }, count)
    if (counts.kept > 0) candidates.inc({ ...labels, reason: 'kept' }, counts.kept)
    for (const [reason, count] of counts.removed) candidates.inc({ ...labels, reason }, count)
  }

  function countsOf(pipeline: string, stage: string): CountsOfStage {
    let ofPipeline = pipelines.get(pipeline)
    if (ofPipeline === undefined) pipelines.set(pipeline, (ofPipeline = new Map<string, CountsOfStage>()))
    let counts = ofPipeline.get(stage)
    if (counts === undefined) {
      counts = { kept: 0, ran: 0, others: new Map(), removed: new Map() }
      ofPipeline.set(stage, counts)
    }
    return counts
  }

  return {
    add(pipeline, { stage, outcome, error, removed, candidatesOut }) {
      const counts = countsOf(pipeline, stage)
      counts.kept += candidatesOut
      if (outcome === 'ran') counts.ran++
      else {
        const codes = counts.others.get(outcome) ?? new Map<string, number>()
        counts.others.set(outcome, codes)
        addTo(codes, error ?? 'none', 1)
      }
      for (const reason in removed) addTo(counts.removed, reason, removed[reason]!)
    },
  }
}

function addTo(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count)
}
