import type { Clock } from '@freshet/domain/clock'
import { describe, expect, it } from 'vitest'
import { createLogProgress } from './log-progress.ts'
import type { EventLog, ViewReaderOptions } from './ports/event-log.ts'
import { createViewFollower } from './view-follower.ts'

const clock: Clock = {
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stop')))),
}

function aLog(ends: Readonly<Record<string, readonly number[]>>) {
  const read: ViewReaderOptions[] = []
  let stopped = 0
  const log = {
    identity: async () => 'one',
    ends: async (topic: string) => ends[topic] ?? [],
    readAll: async (options: ViewReaderOptions) => {
      read.push(options)
      return {
        lag: async () => 7,
        stop: async () => {
          stopped++
        },
      }
    },
  } as unknown as EventLog
  return { log, read, stopped: () => stopped }
}

function follow(log: EventLog) {
  const progress = createLogProgress()
  const follower = createViewFollower({
    log,
    clock,
    topics: ['a', 'b'],
    maxBatchRecords: 10,
    subject: 'the views',
    progress: () => progress,
    onBatch: async () => undefined,
    onError: () => undefined,
    onLogReplaced: () => undefined,
  })
  return { follower, progress }
}

describe('view follower', () => {
  it('has caught up when every partition has reached the end it had at the start', async () => {
    const { log, read } = aLog({ a: [2, 0], b: [3] })
    const { follower, progress } = follow(log)
    progress.advance('a', 0, 1)
    expect(follower.unready()).toBe('the views have not started to read the log')
    expect(await follower.lag()).toBe(0)
    await follower.start()
    expect(follower.unready()).toBe('the views are catching up: 2 of 3 partitions are behind')
    expect(read[0]?.startAt({ topic: 'a', partition: 0 })).toBe(1)
    expect(read[0]?.startAt({ topic: 'b', partition: 0 })).toBeNull()
    progress.advance('a', 0, 2)
    progress.advance('b', 0, 3)
    expect(follower.unready()).toBeNull()
    expect(await follower.lag()).toBe(7)
    expect(progress.log('a')).toBe('one')
    await follower.stop()
  })

  it('stops the reader, and can be stopped before it started', async () => {
    const { log, stopped } = aLog({ a: [0], b: [0] })
    const { follower } = follow(log)
    await follower.stop()
    expect([follower.isReading(), stopped()]).toEqual([false, 0])
    const second = follow(log).follower
    await second.start()
    await second.stop()
    expect([second.isReading(), stopped()]).toEqual([true, 1])
  })

  it('reports a silent log only if it watches the log', async () => {
    const { log } = aLog({ a: [0], b: [0] })
    const { follower } = follow(log)
    expect(follower.warning()).toContain('the log does not answer')
    const unwatched = createViewFollower({
      log,
      clock,
      topics: ['a'],
      maxBatchRecords: 1,
      subject: 'the views',
      progress: createLogProgress,
      onBatch: async () => undefined,
      onError: () => undefined,
    })
    expect(unwatched.warning()).toBeNull()
  })
})
