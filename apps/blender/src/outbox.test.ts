import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import { engineClockOf } from './blender.harness.ts'
import { createOutbox } from './outbox.ts'

/** An outbox over a log in memory that records its batches. */
async function anOutbox() {
  const clock = createVirtualClock(1)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  const batches: string[][] = []
  const away = { now: false }
  const slow: { until: Promise<void> | null } = { until: null }
  const lost: (readonly [number, unknown])[] = []
  const append = async (topic: string, records: readonly NewRecord[]) => {
    batches.push(records.map(({ value }) => FeedServed.decode(value!).feedId))
    await slow.until
    return away.now ? new Promise<never>(() => {}) : log.append(topic, records)
  }
  const outbox = createOutbox({
    log: { ...log, append },
    clock: engineClockOf(clock),
    maxWaiting: 10,
    lingerMs: 50,
    onLost: (feeds, error) => lost.push([feeds, error]),
  })
  return { outbox, batches, lost, clock, away, slow }
}

const feed = (feedId: string) => FeedServed.fromPartial({ feedId, userId: 'u' })

describe('outbox', () => {
  it('sends the feeds of one linger together and in order', async () => {
    const { outbox, batches, clock } = await anOutbox()
    for (const id of ['a', 'b', 'c']) outbox.offer(() => feed(id))
    await clock.advance(49)
    expect(batches).toEqual([])
    expect(outbox.waiting).toBe(3)
    await clock.advance(1)
    outbox.offer(() => feed('d'))
    await clock.advance(50)
    await outbox.flush()
    expect(batches).toEqual([['a', 'b', 'c'], ['d']])
    expect(outbox.waiting).toBe(0)
  })

  it('lets the feeds that come while it writes linger too', async () => {
    const { outbox, batches, clock, slow } = await anOutbox()
    const { promise, resolve } = Promise.withResolvers<void>()
    slow.until = promise
    outbox.offer(() => feed('a'))
    await clock.advance(50)
    expect(batches).toEqual([['a']])
    outbox.offer(() => feed('b'))
    resolve()
    await clock.advance(49)
    outbox.offer(() => feed('c'))
    expect(batches).toEqual([['a']])
    await clock.advance(1)
    await outbox.flush()
    expect(batches).toEqual([['a'], ['b', 'c']])
  })

  it('makes a feed after the answer, and does not wait for further feeds when it is flushed', async () => {
    const { outbox, batches } = await anOutbox()
    let made = 0
    outbox.offer(() => (made++, feed('a')))
    expect(made).toBe(0)
    await outbox.flush()
    expect([made, batches]).toEqual([1, [['a']]])
  })

  it('reports a feed that it could not make, and sends the others', async () => {
    const { outbox, batches, lost } = await anOutbox()
    const defect = new TypeError('a bug')
    outbox.offer(() => {
      throw defect
    })
    outbox.offer(() => feed('b'))
    await outbox.flush()
    expect(lost).toEqual([[1, defect]])
    expect(batches).toEqual([['b']])
  })

  it('stays bounded while the log is away, and finds the feeds that wait', async () => {
    const { outbox, away, lost } = await anOutbox()
    away.now = true
    const taken = Array.from({ length: 25 }, (_, n) => outbox.offer(() => feed(`f${n}`)))
    expect(taken.filter(Boolean)).toHaveLength(10)
    void outbox.flush()
    await Promise.resolve()
    expect(outbox.offer(() => feed('late'))).toBe(false)
    expect(outbox.waiting).toBe(10)
    expect(FeedServed.decode(outbox.find('f9')!).feedId).toBe('f9')
    expect(outbox.find('f10')).toBe(null)
    expect(lost).toEqual([])
  })
})
