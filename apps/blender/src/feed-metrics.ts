import { degradationToJSON, freshnessToJSON } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { isContractError } from '@freshet/contracts/errors'
import { createVersionMemory } from '@freshet/domain/version-memory'
import { noTracing, type Tracing } from '@freshet/domain/tracing'
import type { RunRecord } from '@freshet/pipeline/record'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import { createStageCounts } from './stage-counts.ts'
import { recordStages } from './stage-spans.ts'
import type { RunningBlender } from './running-blender.ts'
import type { FeedObserver } from './feed-observer.ts'

/** The stages that call other services. Only these have a histogram. */
const timedStages = new Set(['user-state', 'await-tokens', 'retrieve', 'rank', 'rank-again', 'page', 'last-good'])

/** How many feeds are remembered, to find those whose pages are of several versions. */
const rememberedFeeds = 16_384

/** Turns the reports of the blender into metrics and log lines. It keeps counts itself and passes them to the registry at each scrape, so that requests do not pay for labels. */
export function createFeedObserver(metrics: Metrics, report: Report, tracing: Tracing = noTracing): FeedObserver {
  const answers = metrics.counter('freshet_feed_answers_total')
  const answerSeconds = metrics.histogram('freshet_feed_answer_seconds')
  const stageSeconds = metrics.histogram('freshet_feed_stage_seconds')
  const lost = metrics.counter('freshet_feeds_lost_total')
  const shed = metrics.counter('freshet_feed_shed_total')
  const requests = metrics.counter('freshet_feed_requests_total')
  // A ratio of failed requests exists from the first scrape on.
  requests.inc({ kind: 'request', outcome: 'answered' }, 0)
  const failures = metrics.counter('freshet_feed_background_failures_total')
  const following = metrics.counter('freshet_feed_following_pages_total')
  const versions = { model: createVersionMemory(rememberedFeeds), embeddings: createVersionMemory(rememberedFeeds) }
  const stageCounts = createStageCounts(metrics)
  const counts = new Map<string, { readonly add: (n: number) => void; count: number }>()

  metrics.beforeScrape(() => {
    for (const entry of counts.values()) {
      if (entry.count > 0) entry.add(entry.count)
      entry.count = 0
    }
  })

  function count(key: string, n: number, add: (n: number) => void): void {
    const entry = counts.get(key)
    if (entry === undefined) counts.set(key, { add, count: n })
    else entry.count += n
  }

  return {
    ran(run: RunRecord) {
      const { pipeline, stages: ran } = run
      recordStages(run, { tracing, alone: timedStages })
      for (const record of ran) {
        stageCounts.add(pipeline, record)
        const { stage, error, cause, tookMs } = record
        if (timedStages.has(stage)) stageSeconds.observe({ pipeline, stage }, tookMs / 1000)
        if (error === 'STAGE_FAILED' || error === 'STAGE_ANSWER_INVALID' || error === 'CALL_INTERNAL')
          report(cause, { part: `${pipeline}/${stage}`, outcome: 'defect' })
      }
    },
    answered({ surface, degradation, freshness, tookMs, madeOf }) {
      const labels = { surface, degradation: degradationToJSON(degradation), freshness: freshnessToJSON(freshness) }
      count(`${surface}/${degradation}/${freshness}`, 1, (n) => answers.inc(labels, n))
      answerSeconds.observe({ surface }, tookMs / 1000)
      for (const what of ['model', 'embeddings'] as const) {
        const before = madeOf[what] === '' ? 'first' : versions[what].see(madeOf.pageSession, madeOf[what])
        if (before !== 'first') count(`${what} ${before}`, 1, (n) => following.inc({ what, before }, n))
      }
    },
    feedLost(feeds, why, error) {
      lost.inc({ why }, feeds)
      report(error ?? new Error('the outbox is full'), {
        part: 'outbox',
        topic: 'feeds-served.v1',
        outcome: 'lost',
        count: feeds,
      })
    },
    shed(kind) {
      shed.inc({ kind })
    },
    ended(kind, error) {
      const outcome = error === null ? 'answered' : isContractError(error) ? error.code : 'CALL_INTERNAL'
      count(`ended ${kind} ${outcome}`, 1, (n) => requests.inc({ kind, outcome }, n))
    },
    failed(what, error, at) {
      failures.inc({ what })
      report(error, { part: what, ...at })
    },
  }
}

/** Sets the gauges of the blender's memory before every scrape. */
export function observeMemory(blender: Pick<RunningBlender, 'lag' | 'stats'>, metrics: Metrics): void {
  const service = 'blender'
  const rows = metrics.gauge('freshet_view_rows')
  const bytes = metrics.gauge('freshet_view_bytes')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  const lag = metrics.gauge('freshet_view_lag_records')
  const users = metrics.gauge('freshet_feed_remembered_users')
  const unwritten = metrics.gauge('freshet_feed_unwritten')
  const underWay = metrics.gauge('freshet_feed_in_flight')
  const waiting = metrics.gauge('freshet_feed_waiting')
  metrics.beforeScrape(
    async () => lag.set({ service }, await blender.lag()),
    () => lag.set({ service }, NaN),
  )
  metrics.beforeScrape(() => {
    const { facts, vectors, cards, versions, rememberedUsers, unwrittenFeeds, inFlight, waitingForTurn } =
      blender.stats()
    rows.set({ service, view: 'pins' }, facts.pins)
    bytes.set({ service, view: 'pins' }, facts.bytes)
    rows.set({ service, view: 'vectors' }, vectors.vectors)
    bytes.set({ service, view: 'vectors' }, vectors.bytes)
    rows.set({ service, view: 'cards' }, cards.cards)
    bytes.set({ service, view: 'cards' }, cards.bytes)
    rejected.set({ service, reason: 'CAP_REACHED' }, facts.refused + vectors.refused + cards.refused)
    rejected.set({ service, reason: 'LOCALES_FULL' }, facts.refusedLocales)
    rejected.set({ service, reason: 'LABELS_FULL' }, facts.refusedLabels)
    rejected.set({ service, reason: 'CODEC_INVALID' }, facts.rejected)
    rejected.set({ service, reason: 'PIN_STALE' }, versions.stale)
    rows.set({ service, view: 'pin-versions' }, versions.versions)
    bytes.set({ service, view: 'pin-versions' }, versions.bytes)
    users.set(rememberedUsers)
    unwritten.set(unwrittenFeeds)
    underWay.set(inFlight)
    waiting.set(waitingForTurn)
  })
}
