import { afterEach, describe, expect, it, vi } from 'vitest'
import { metricCatalogue, type MetricSpec } from './metric-catalogue.ts'
import { createMetrics } from './metrics.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('metrics', () => {
  it('count, set and observe under their catalogue names', async () => {
    const metrics = createMetrics()
    metrics.counter('freshet_ingest_events_total').inc({ kind: 'pin', outcome: 'accepted' }, 2)
    metrics.gauge('freshet_ingest_in_flight_bytes').set(7)
    metrics.histogram('freshet_ingest_append_seconds').observe({ kind: 'pin' }, 0.003)
    const text = await metrics.text()
    expect(text).toContain('freshet_ingest_events_total{kind="pin",outcome="accepted"} 2')
    expect(text).toContain('freshet_ingest_in_flight_bytes 7')
    expect(text).toContain('freshet_ingest_append_seconds_bucket{le="0.005",kind="pin"} 1')
  })

  it('collect before every scrape, and survive a failed collection', async () => {
    const metrics = createMetrics()
    metrics.beforeScrape(() => metrics.gauge('freshet_ingest_in_flight_bytes').set(3))
    metrics.beforeScrape(() => Promise.reject(new Error('no')))
    expect(await metrics.text()).toContain('freshet_ingest_in_flight_bytes 3')
  })

  it.each(Object.entries(metricCatalogue) as [string, MetricSpec][])(
    '%s is named as Prometheus has it',
    (name, spec) => {
      expect(name).toMatch(/^freshet_[a-z0-9_]+$/)
      expect(name.endsWith('_total')).toBe(spec.type === 'counter')
      expect(spec.help).toMatch(/\.$/)
      if (spec.type === 'histogram') expect(spec.buckets?.length).toBeGreaterThan(3)
    },
  )

  it('A24: do not wait for a collection that hangs, and show an unknown value instead of the old one', async () => {
    const metrics = createMetrics()
    const lag = metrics.gauge('freshet_updater_lag_records')
    const answers: (() => Promise<number>)[] = [
      () => Promise.resolve(7),
      () => Promise.reject(new Error('away')),
      () => new Promise(() => undefined),
    ]
    let asked = 0
    metrics.beforeScrape(
      async () => lag.set(await (answers[asked++] ?? answers[0]!)()),
      () => lag.set(NaN),
    )
    expect(await metrics.text()).toContain('freshet_updater_lag_records 7')
    expect(await metrics.text()).toMatch(/freshet_updater_lag_records nan/i)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    for (let scrape = 0; scrape < 2; scrape++) {
      let text: string | null = null
      void metrics.text().then((answer) => (text = answer))
      await vi.advanceTimersByTimeAsync(499)
      expect(text).toBeNull()
      await vi.advanceTimersByTimeAsync(1)
      expect(text).toMatch(/freshet_updater_lag_records nan/i)
    }
    expect(asked).toBe(3)
  })
})
