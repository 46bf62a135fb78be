import { describe, expect, it } from 'vitest'
import { parseMetrics } from './metrics-text.ts'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { averageFlow, flowOfFeed, flowsByKind, meteredPipelines } from './pipeline.ts'

const report = (stage: string, given: object = {}) => ({
  ...{ stage, candidatesIn: 0, candidatesOut: 0, tookUs: 0, removed: {}, error: '' },
  ...given,
})

describe('the stages of feeds', () => {
  it('are one feed as it ran', () => {
    const stages = [
      report('retrieve', { candidatesOut: 300, tookUs: 10_871 }),
      report('seen', { candidatesIn: 300, candidatesOut: 280, removed: { seen: 20 } }),
      report('rank', { candidatesIn: 280, candidatesOut: 280, error: 'CALL_UNAVAILABLE' }),
    ]
    expect(flowOfFeed(stages)).toMatchObject([
      { stage: 'retrieve', candidatesOut: 300, tookMs: 10.871, errors: {}, share: 1 },
      { stage: 'seen', removed: { seen: 20 } },
      { stage: 'rank', errors: { CALL_UNAVAILABLE: 1 } },
    ])
  })

  it('are means over feeds, in their order, with the share of the feeds that have them', () => {
    const flow = averageFlow([
      { stages: [report('retrieve', { candidatesOut: 300, tookUs: 8_000 }), report('page', { candidatesIn: 300 })] },
      {
        stages: [
          report('retrieve', { candidatesOut: 100, tookUs: 4_000 }),
          report('seen', { candidatesIn: 100, candidatesOut: 60, removed: { seen: 30, old: 10 } }),
          report('page', { candidatesIn: 60, error: 'STAGE_FAILED' }),
        ],
      },
    ])
    expect(flow.map(({ stage }) => stage)).toEqual(['retrieve', 'seen', 'page'])
    expect(flow[0]).toMatchObject({ candidatesOut: 200, tookMs: 6, share: 1 })
    expect(flow[1]).toMatchObject({ candidatesIn: 100, candidatesOut: 60, removed: { seen: 30, old: 10 }, share: 0.5 })
    expect(flow[2]).toMatchObject({ candidatesIn: 180, errors: { STAGE_FAILED: 0.5 } })
  })

  it('are means by kind of request, since later pages run other stages', () => {
    const home = { surface: Surface.HOME, stages: [report('retrieve', { candidatesOut: 300 })] }
    const later = { surface: Surface.HOME, stages: [report('next-page/reserve', { candidatesOut: 200 })] }
    expect(flowsByKind([home, later, home])).toMatchObject([
      { kind: 'home', feeds: 2, stages: [{ stage: 'retrieve', candidatesOut: 300, share: 1 }] },
      { kind: 'home, next-page', feeds: 1, stages: [{ stage: 'next-page/reserve', share: 1 }] },
    ])
    expect(flowsByKind([later, home]).map(({ kind }) => kind)).toEqual(['home', 'home, next-page'])
  })

  it('are read from the metrics of blenders', () => {
    const metered = meteredPipelines(
      parseMetrics(`
freshet_feed_stages_total{pipeline="feed",stage="retrieve",outcome="ran",code="none"} 8
freshet_feed_stages_total{pipeline="feed",stage="retrieve",outcome="left-out",code="CALL_UNAVAILABLE"} 2
freshet_feed_stages_total{pipeline="feed",stage="seen",outcome="ran",code="none"} 5
freshet_feed_stages_total{pipeline="related",stage="retrieve",outcome="ran",code="none"} 1
freshet_feed_candidates_total{pipeline="feed",stage="retrieve",reason="kept"} 3000
freshet_feed_candidates_total{pipeline="feed",stage="seen",reason="kept"} 400
freshet_feed_candidates_total{pipeline="feed",stage="seen",reason="seen"} 100
freshet_feed_stage_seconds_sum{pipeline="feed",stage="retrieve"} 0.05
freshet_feed_stage_seconds_count{pipeline="feed",stage="retrieve"} 10
`),
    )
    expect(metered.map(({ pipeline, runs }) => [pipeline, runs])).toEqual([
      ['feed', 10],
      ['related', 1],
    ])
    expect(metered[0]?.stages).toEqual([
      {
        ...{ stage: 'retrieve', candidatesIn: 300, candidatesOut: 300, tookMs: 5, removed: {}, share: 1 },
        errors: { CALL_UNAVAILABLE: 0.2 },
      },
      {
        ...{ stage: 'seen', candidatesIn: 100, candidatesOut: 80, tookMs: null, share: 0.5 },
        ...{ removed: { seen: 20 }, errors: {} },
      },
    ])
  })
})
