import { noHeaders } from '@freshet/contracts/headers'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMetrics } from '@freshet/service/metrics'
import { expect, it } from 'vitest'
import { viewInstruments } from './observe.ts'

const noonMs = 1_700_049_600_000
const service = 'service="candidate-service"'

function aBatch(topic: string, appendedAtMs: readonly number[]) {
  const records = appendedAtMs.map((atMs, position) => ({
    ...{ position, key: 'ada', value: null, headers: noHeaders },
    appendedAtMs: atMs,
  }))
  return { topic, partition: 0, from: 0, next: records.length, end: records.length, records }
}

it('times engagements that were appended since the start until the views have them', async () => {
  const metrics = createMetrics()
  const clock = createVirtualClock(noonMs)
  const { onFolded } = viewInstruments(metrics, clock, { writesSnapshots: false })
  onFolded(aBatch('engagements.v1', [noonMs - 1, noonMs]))
  onFolded(aBatch('pins.v1', [noonMs]))
  expect(await metrics.text()).toContain(`freshet_view_event_seconds_count{${service}} 1`)
})

it('has the time of the last snapshot, at first that of the start, and none where it writes none', async () => {
  const clock = createVirtualClock(noonMs)
  const metrics = createMetrics()
  viewInstruments(metrics, clock, { writesSnapshots: false })
  expect(await metrics.text()).not.toContain('freshet_view_snapshot_timestamp_seconds')
  const { onViewEvent } = viewInstruments(metrics, clock, { writesSnapshots: true })
  const line = (seconds: number) => `freshet_view_snapshot_timestamp_seconds{${service}} ${seconds}`
  expect(await metrics.text()).toContain(line(noonMs / 1000))
  await clock.advance(60_000)
  onViewEvent({ kind: 'snapshot-failed', error: new Error('no') })
  expect(await metrics.text()).toContain(line(noonMs / 1000))
  onViewEvent({ kind: 'snapshot-written', bytes: 1 })
  expect(await metrics.text()).toContain(line(noonMs / 1000 + 60))
})
