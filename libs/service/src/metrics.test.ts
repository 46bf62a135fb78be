import { afterEach, describe, expect, it, vi } from 'vitest'
import { metricCatalogue, type MetricSpec } from './metric-catalogue.ts'
import { createMetrics } from './metrics.ts'
import { runInTrace } from './tracing/active-trace.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

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

  it('show the traces of recorded requests as exemplars in OpenMetrics, and not in the plain text', async () => {
    const metrics = createMetrics({ runtime: true })
    const seconds = metrics.histogram('freshet_ingest_append_seconds')
    metrics.counter('freshet_ingest_events_total').inc({ kind: 'pin', outcome: 'accepted' }, 2)
    const headers = (flags: string) => ({ traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` })
    runInTrace(headers('01'), () => seconds.observe({ kind: 'pin' }, 0.003))
    runInTrace(headers('00'), () => seconds.observe({ kind: 'pin' }, 0.2))
    runInTrace(headers('01'), () => seconds.startTimer({ kind: 'board' })())
    seconds.observe({ kind: 'pin' }, 3)
    const [open, text] = [await metrics.openMetrics(), await metrics.text()]
    const exemplar = `# {trace_id="${traceId}",span_id="00f067aa0ba902b7"}`
    expect(open).toContain(`freshet_ingest_append_seconds_bucket{le="0.005",kind="pin"} 1 ${exemplar} 0.003`)
    expect(open.match(/# \{trace_id/g)).toHaveLength(2)
    expect(text).not.toContain('trace_id')
    expect(text).toContain('freshet_ingest_append_seconds_bucket{le="0.005",kind="pin"} 1\n')
    expect(text).toContain('freshet_ingest_append_seconds_count{kind="pin"} 3')
    expect(text).toContain('# TYPE freshet_ingest_events_total counter')
    expect(open).toContain('# TYPE freshet_ingest_events counter')
    expect(open).toContain('freshet_ingest_events_total{kind="pin",outcome="accepted"} 2')
    expect(open).toMatch(/# EOF\n$/)
    expect(open).not.toMatch(/\n\n/)
    // Every metric of the one is in the other.
    const types = (shown: string) =>
      [...shown.matchAll(/^# TYPE (\S+?)(_total)? (\w+)$/gm)].map(([, name, , type]) => [name, type])
    expect(types(open)).toEqual(types(text))
  })

  it.each(Object.entries(metricCatalogue) as [string, MetricSpec][])(
    '%s is named as Prometheus has it',
    (name, spec) => {
      expect(name).toMatch(/^freshet_[a-z0-9_]+$/)
      expect(name.endsWith('_total')).toBe(spec.type === 'counter')
      expect(spec.help).toMatch(/\.$/)
      if (spec.type === 'histogram') expect(spec.buckets?.length).toBeGreaterThan(3)
      // Base units, at the end of the name: https://prometheus.io/docs/practices/naming/
      expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|hours|days|kb|kib|mb|mib|percent|pct)(_|$)/)
      const bare = name.replace(/_total$/, '')
      if (spec.type === 'histogram') expect(bare).toMatch(/_(seconds|bytes)$/)
      for (const unit of ['seconds', 'bytes', 'ratio']) {
        if (new RegExp(`(^|_)${unit}(_|$)`).test(bare)) expect(bare.endsWith(`_${unit}`)).toBe(true)
      }
      if (/[Bb]ytes|memory/i.test(spec.help) && spec.type === 'gauge' && / bytes/i.test(spec.help))
        expect(bare).toMatch(/_(bytes|ratio)$/)
      if (/^(Mean )?[Ss]hare of /.test(spec.help)) expect(bare).toMatch(/_ratio$/)
      if (/since the epoch/.test(spec.help)) expect(bare).toMatch(/_timestamp_seconds$/)
    },
  )

  it('have no label for a user, a pin or anything else that grows with use', () => {
    const labels = new Set(Object.values(metricCatalogue as Record<string, MetricSpec>).flatMap((spec) => spec.labels))
    const unbounded =
      /(^|_)(id|ids|user|pin|board|creator|session|event|feed|key|address|ip|url|path|query|trace)(_|$)/i
    expect([...labels].filter((label) => unbounded.test(label))).toEqual([])
  })

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
