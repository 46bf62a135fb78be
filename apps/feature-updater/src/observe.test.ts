import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { noHeaders } from '@freshet/contracts/headers'
import { topicLayouts } from '@freshet/contracts/topics'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { observeStoreMemory, updaterInstruments } from './observe.ts'
import { aRecord, noonMs } from './testing.ts'
import { createUpdater } from './updater.ts'

async function aMeasuredUpdater() {
  const clock = createVirtualClock(noonMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(4))
  const metrics = createMetrics()
  const updater = createUpdater({
    log,
    store: createMemoryStateStore({ clock }),
    clock,
    config: updaterConfigOf({}),
    ...updaterInstruments(metrics, clock),
  })
  /** Folds records at these positions of partition 0, appended so long ago. */
  const fold = (from: number, next: number, at: readonly number[], agoMs = 0, key?: string) =>
    updater.handleUserBatch({
      ...{ topic: 'engagements.v1', partition: 0, from, next, end: next },
      records: at.map((position) => {
        const { key: userId, value } = aRecord()
        return { position, key: key ?? userId, value, appendedAtMs: clock.now() - agoMs, headers: noHeaders }
      }),
    })
  return { metrics, fold }
}

describe('the metrics of the updater', () => {
  it('have every count from the start, so that the first loss is an increase', async () => {
    const { metrics } = await aMeasuredUpdater()
    const text = await metrics.text()
    expect(text).toContain('freshet_updater_records_total{stage="user",outcome="lost"} 0')
    expect(text).toContain('freshet_updater_unaccounted_records_total{stage="pin"} 0')
  })

  it('time each folded record from its append, but no canary', async () => {
    const { metrics, fold } = await aMeasuredUpdater()
    await fold(0, 3, [0, 1, 2], 40)
    await fold(3, 4, [3], 4_000)
    await fold(4, 5, [4], 9_000, 'freshet-canary-1')
    const text = await metrics.text()
    expect(text).toContain('freshet_updater_event_seconds_bucket{le="0.05",stage="user"} 3')
    expect(text).toContain('freshet_updater_event_seconds_count{stage="user"} 4')
    expect(text).toContain('freshet_updater_event_seconds_sum{stage="user"} 4.12')
  })

  it('count positions that a commit passed over without an outcome', async () => {
    const { metrics, fold } = await aMeasuredUpdater()
    await fold(0, 12, [10, 11])
    expect(await metrics.text()).toContain('unaccounted_records_total{stage="user"} 0')
    await fold(12, 16, [12, 15])
    expect(await metrics.text()).toContain('unaccounted_records_total{stage="user"} 2')
  })

  it("have no share of Redis's memory while it has no limit", async () => {
    const metrics = createMetrics()
    let share: number | null = null
    observeStoreMemory({ memoryShare: () => share }, metrics)
    expect(await metrics.text()).not.toContain('freshet_store_memory_used_ratio')
    share = 0.5
    await metrics.text()
    expect(await metrics.text()).toContain('freshet_store_memory_used_ratio 0.5')
    share = null
    expect(await metrics.text()).toMatch(/freshet_store_memory_used_ratio nan/i)
  })
})
