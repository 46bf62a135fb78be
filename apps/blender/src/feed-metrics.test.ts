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
