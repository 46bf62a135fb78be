import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

describe('metrics with fixed labels', () => {
  it('count together with those whose labels are given each time, in any order', async () => {
    const metrics = createMetrics()
    const requests = metrics.counter('freshet_ingest_requests_total')
    const accepted = requests.labels({ protocol: 'http', outcome: 'accepted' })
    accepted.inc()
    requests.inc({ outcome: 'accepted', protocol: 'http' })
    requests.inc({ protocol: 'grpc', outcome: 'accepted' }, 5)
    accepted.inc(3)
    requests.labels({ outcome: 'accepted', protocol: 'grpc' }).inc(2)
    const text = await metrics.text()
    expect(text).toContain('freshet_ingest_requests_total{protocol="http",outcome="accepted"} 5')
    expect(text).toContain('freshet_ingest_requests_total{protocol="grpc",outcome="accepted"} 7')
  })

  it('of a histogram observe what one without fixed labels observes', async () => {
    const values = [0, 0.0005, 0.001, 0.003, 0.0051, 1, 60, 0.2]
    const [bound, free] = [createMetrics(), createMetrics()]
    const seconds = bound.histogram('freshet_ingest_append_seconds').labels({ kind: 'pin' })
    for (const value of values) {
      seconds.observe(value)
      free.histogram('freshet_ingest_append_seconds').observe({ kind: 'pin' }, value)
    }
    bound.histogram('freshet_ingest_append_seconds').observe({ kind: 'pin' }, 2)
    free.histogram('freshet_ingest_append_seconds').observe({ kind: 'pin' }, 2)
    expect(await bound.text()).toBe(await free.text())
  })

  it('refuse what is not a number, also after the first', () => {
    const metrics = createMetrics()
    const accepted = metrics.counter('freshet_ingest_events_total').labels({ kind: 'pin', outcome: 'accepted' })
    const seconds = metrics.histogram('freshet_ingest_append_seconds').labels({ kind: 'pin' })
    for (let i = 0; i < 2; i++) {
      accepted.inc()
      seconds.observe(1)
      expect(() => accepted.inc(-1)).toThrow('decrease')
      expect(() => seconds.observe(Number.NaN)).toThrow('not a valid number')
    }
  })
})
