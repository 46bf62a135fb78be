import { describe, expect, it } from 'vitest'
import { histogramOf, parseMetrics, sumOf, sumsBy } from './metrics-text.ts'

const text = `
# HELP freshet_errors_total Errors.
# TYPE freshet_errors_total counter
freshet_errors_total{part="say \\"hi\\", {x}",code="A\\\\B",outcome="lost"} 2
freshet_errors_total{part="updater",code="C",outcome="retried"} 3 1700000000000
freshet_view_lag_records{service="blender"} NaN
freshet_view_lag_records{service="ranker"} 4
process_resident_memory_bytes 2.5e+8
freshet_feed_answer_seconds_bucket{le="0.1",surface="home"} 3
freshet_feed_answer_seconds_bucket{le="+Inf",surface="home"} 4
freshet_feed_answer_seconds_bucket{le="0.1",surface="related"} 1
freshet_feed_answer_seconds_bucket{le="+Inf",surface="related"} 1
freshet_feed_answer_seconds_sum{surface="home"} 0.9
freshet_feed_answer_seconds_count{surface="home"} 4
freshet_feed_answer_seconds_sum{surface="related"} 0.05
freshet_feed_answer_seconds_count{surface="related"} 1
half a line{
`

describe('the text format of Prometheus', () => {
  const series = parseMetrics(text)

  it('reads labels with quotes, braces, commas and backslashes', () => {
    expect(series[0]?.labels).toEqual({ part: 'say "hi", {x}', code: 'A\\B', outcome: 'lost' })
  })

  it('reads values with exponents, NaN and time stamps, and leaves out what is not a series', () => {
    expect(sumOf(series, 'process_resident_memory_bytes')).toBe(250_000_000)
    expect(sumOf(series, 'freshet_errors_total')).toBe(5)
    expect(sumOf(series, 'freshet_view_lag_records')).toBe(4)
    expect(sumOf(series, 'half')).toBeNull()
  })

  it('sums by a label, without values that are not known', () => {
    expect(sumsBy(series, 'freshet_view_lag_records', 'service')).toEqual({ ranker: 4 })
    expect(sumsBy(series, 'freshet_errors_total', 'outcome')).toEqual({ lost: 2, retried: 3 })
  })

  it('merges histograms over series, in the order of their bounds', () => {
    expect(histogramOf(series, 'freshet_feed_answer_seconds')).toEqual({
      count: 5,
      sum: expect.closeTo(0.95, 6) as number,
      buckets: [
        { upTo: 0.1, count: 4 },
        { upTo: null, count: 5 },
      ],
    })
    expect(histogramOf(series, 'freshet_feed_answer_seconds', { surface: 'related' })?.count).toBe(1)
    expect(histogramOf(series, 'freshet_call_seconds')).toBeNull()
  })
})
