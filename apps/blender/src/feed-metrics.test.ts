import { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { createFeedObserver } from './feed-metrics.ts'

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
})
