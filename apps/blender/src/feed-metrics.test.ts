import { ContractError } from '@freshet/contracts/errors'
import { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { aBlender, aPin } from './blender.harness.ts'
import { createFeedObserver, observeMemory } from './feed-metrics.ts'

describe('the metrics of feeds', () => {
  it('count the pages of a feed that come from another model or other embeddings than the page before', async () => {
    const metrics = createMetrics()
    const observer = createFeedObserver(metrics, () => undefined)
    const page = (pageSession: string, model: string, embeddings = 'pin2vec 1'): void =>
      observer.answered({
        surface: 'home',
        degradation: Degradation.NONE,
        freshness: Freshness.UNSPECIFIED,
        items: 25,
        tookMs: 1,
        madeOf: { pageSession, model, embeddings },
      })
    page('u/1', 'home-1')
    page('u/1', 'home-1')
    page('u/1', 'home-2', 'pin2vec 2')
    // Not ranked: that is a degradation, not a mixture.
    page('u/1', '')
    page('u/2', 'home-3')
    page('u/1', 'home-2')
    const text = await metrics.text()
    for (const line of [
      'freshet_feed_following_pages_total{what="model",before="same"} 2',
      'freshet_feed_following_pages_total{what="model",before="other"} 1',
      'freshet_feed_following_pages_total{what="embeddings",before="same"} 2',
      'freshet_feed_following_pages_total{what="embeddings",before="other"} 2',
    ])
      expect(text).toContain(line)
  })

  it('count requests by outcome, and know of answered ones before the first', async () => {
    const metrics = createMetrics()
    const observer = createFeedObserver(metrics, () => undefined)
    expect(await metrics.text()).toContain('freshet_feed_requests_total{kind="request",outcome="answered"} 0')
    observer.ended?.('request', null)
    observer.ended?.('request', new ContractError('CALL_UNAVAILABLE', 'no'))
    observer.ended?.('prefetch', new Error('a defect'))
    const text = await metrics.text()
    for (const line of [
      'freshet_feed_requests_total{kind="request",outcome="answered"} 1',
      'freshet_feed_requests_total{kind="request",outcome="CALL_UNAVAILABLE"} 1',
      'freshet_feed_requests_total{kind="prefetch",outcome="CALL_INTERNAL"} 1',
    ])
      expect(text).toContain(line)
  })

  it('count what each stage did, each run once however often it is scraped', async () => {
    const metrics = createMetrics()
    const observer = createFeedObserver(metrics, () => undefined)
    const ran = { stage: 'page', kind: 'selector', outcome: 'ran', candidatesIn: 9, candidatesOut: 2 } as const
    const rest = { startedAtMs: 0, tookMs: 1, moves: null, cause: null, error: null } as const
    const stages = [{ ...ran, ...rest, removed: { 'below-page': 7 } }]
    const late = [{ ...ran, ...rest, outcome: 'left-out', error: 'STAGE_TIMED_OUT', removed: {} }] as const
    const fates = { codes: new Uint16Array(0), removals: [], of: () => ({ position: 0 }) }
    for (const each of [stages, stages, late, stages]) {
      observer.ran({ pipeline: 'feed', outcome: 'answered', tookMs: 1, stages: each, fates })
      await metrics.text()
    }
    const text = await metrics.text()
    for (const line of [
      'freshet_feed_stages_total{pipeline="feed",stage="page",outcome="ran",code="none"} 3',
      'freshet_feed_stages_total{pipeline="feed",stage="page",outcome="left-out",code="STAGE_TIMED_OUT"} 1',
      'freshet_feed_candidates_total{pipeline="feed",stage="page",reason="kept"} 8',
      'freshet_feed_candidates_total{pipeline="feed",stage="page",reason="below-page"} 21',
    ])
      expect(text).toContain(line)
  })

  it('time the ranker on next pages too', async () => {
    const { feed, records } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    await feed({ pageToken })
    const metrics = createMetrics()
    const observer = createFeedObserver(metrics, () => undefined)
    for (const record of records) observer.ran(record)
    expect(await metrics.text()).toContain(
      'freshet_feed_stage_seconds_count{pipeline="next-page",stage="rank-again"} 1',
    )
  })

  it('contain the memory of the cards, and the pins that found no room there', async () => {
    const { blender, tellCatalogue } = await aBlender({ config: { maxPinCardBytes: 1 } })
    await tellCatalogue([aPin('pin-1')])
    const metrics = createMetrics()
    observeMemory(blender, metrics)
    const text = await metrics.text()
    expect(text).toContain('freshet_view_rows{service="blender",view="cards"} 0')
    expect(text).toContain('freshet_view_rejected_records{service="blender",reason="CAP_REACHED"} 1')
  })
})
