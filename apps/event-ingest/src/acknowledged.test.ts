import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { createAcknowledged } from './acknowledged.ts'

const topic = 'engagements.v1'

function aWatchedLog(ends: number[]) {
  const metrics = createMetrics()
  const log = { ends: async () => [...ends] }
  const acknowledged = createAcknowledged({ log, clock: createVirtualClock(0), metrics })
  const lost = async (): Promise<number> =>
    Number(/log_lost_records_total\{topic="engagements.v1"\} (\d+)/.exec(await metrics.text())?.[1])
  return { acknowledged, lost }
}

describe('acknowledged records that the log no longer has', () => {
  it('are counted once, at the second look that misses them', async () => {
    const ends = [10, 20]
    const { acknowledged, lost } = aWatchedLog(ends)
    acknowledged.note(topic, [
      { partition: 1, position: 19 },
      { partition: 0, position: 9 },
    ])
    await acknowledged.look()
    ends[1] = 17
    await acknowledged.look()
    expect(await lost()).toBe(0)
    await acknowledged.look()
    expect(await lost()).toBe(3)
    await acknowledged.look()
    await acknowledged.look()
    expect(await lost()).toBe(3)
  })

  it('are none while the log has them all, or lacks them at one look only', async () => {
    const ends = [0]
    const { acknowledged, lost } = aWatchedLog(ends)
    acknowledged.note(topic, [{ partition: 0, position: 4 }])
    await acknowledged.look()
    ends[0] = 5
    await acknowledged.look()
    await acknowledged.look()
    expect(await lost()).toBe(0)
  })

  it('are counted again after another loss', async () => {
    const ends = [5]
    const { acknowledged, lost } = aWatchedLog(ends)
    acknowledged.note(topic, [{ partition: 0, position: 4 }])
    ends[0] = 4
    await acknowledged.look()
    await acknowledged.look()
    acknowledged.note(topic, [{ partition: 0, position: 4 }])
    ends[0] = 2
    await acknowledged.look()
    await acknowledged.look()
    expect(await lost()).toBe(4)
  })
})
