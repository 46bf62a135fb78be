import type { LogReader, TopicLayout } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { describe, expect, test } from 'vitest'
import { aRecord, aTopic, expectCode, recordsOf } from './event-log.builders.ts'
import type { EventLogWorld } from './event-log.world.ts'

/** What every event log promises of topics, of signals, and once it is closed. */
export function logCallsContract(world: EventLogWorld): void {
  const { made, readBack, readers } = world
  describe('topics', () => {
    test('applying layouts twice changes nothing, and retention can be altered', async () => {
      const topic = aTopic({ retentionMs: 3_600_000 })
      expect(await world.log.applyTopics([topic])).toEqual([{ name: topic.name, outcome: 'created' }])
      expect(await world.log.applyTopics([topic])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
      const longer = { ...topic, retentionMs: 7_200_000 }
      expect(await world.log.applyTopics([longer])).toEqual([{ name: topic.name, outcome: 'altered' }])
      expect(await world.log.applyTopics([longer])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
      const compacted: TopicLayout = { ...longer, cleanup: 'compact', retentionMs: null }
      expect(await world.log.applyTopics([compacted])).toEqual([{ name: topic.name, outcome: 'altered' }])
      expect(await world.log.applyTopics([compacted])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
    })

    test('a new topic has its partitions, all empty', async () => {
      const topic = await made({ partitions: 3 })
      expect(await world.log.partitionCount(topic)).toBe(3)
      expect(await world.log.starts(topic)).toEqual([0, 0, 0])
      expect(await world.log.ends(topic)).toEqual([0, 0, 0])
    })

    test('finds the first record at or after a time, or the end', async () => {
      const topic = await made({ partitions: 2 })
      const positions: number[] = []
      for (let n = 0; n < 9; n++) {
        const [at] = await world.log.append(topic, [{ ...aRecord(`key-${n}`), partition: 0 }])
        positions.push(at!.position)
        // The next record has a later time.
        await new Promise((resolve) => setTimeout(resolve, 3))
      }
      const times = new Map<number, number>()
      await readToEnd({
        log: world.log,
        topic,
        maxBatchRecords: 100,
        onRecords: (_, records) => {
          for (const { position, appendedAtMs } of records) times.set(position, appendedAtMs)
        },
        onError: () => undefined,
      })
      const [, other] = await world.log.ends(topic)
      const timeOf = (position: number): number => times.get(position)!
      const firstAt = (timeMs: number) => positions.find((position) => timeOf(position) >= timeMs)
      for (const position of positions)
        for (const timeMs of [timeOf(position) - 1, timeOf(position), timeOf(position) + 1])
          expect(await world.log.positionsAt(topic, timeMs)).toEqual([firstAt(timeMs) ?? positions.at(-1) + 1, other])
      expect(await world.log.positionsAt(topic, 0)).toEqual([positions[0], other])
      expect(await world.log.positionsAt(topic, Date.now() + 86_400_000)).toEqual(await world.log.ends(topic))
    })

    test('refuses another number of partitions, and creates nothing of that call', async () => {
      const topic = aTopic()
      const fresh = aTopic()
      await world.log.applyTopics([topic])
      await expectCode(world.log.applyTopics([fresh, { ...topic, partitions: 5 }]), 'LOG_TOPIC_MISMATCH')
      expect(await world.log.partitionCount(topic.name)).toBe(4)
      await expectCode(world.log.partitionCount(fresh.name), 'LOG_TOPIC_MISSING')
    })

    test('every call rejects with LOG_TOPIC_MISSING for a missing topic', async () => {
      const { name: missing } = aTopic()
      const reading = {
        topics: [missing],
        onBatch: () => Promise.resolve(),
        maxBatchRecords: 1,
        onError: () => undefined,
      }
      await expectCode(world.log.partitionCount(missing), 'LOG_TOPIC_MISSING')
      await expectCode(world.log.starts(missing), 'LOG_TOPIC_MISSING')
      await expectCode(world.log.ends(missing), 'LOG_TOPIC_MISSING')
      await expectCode(world.log.positionsAt(missing, 1), 'LOG_TOPIC_MISSING')
      await expectCode(world.log.append(missing, [aRecord('a')]), 'LOG_TOPIC_MISSING')
      await expectCode(world.log.readAll({ ...reading, startAt: () => null }), 'LOG_TOPIC_MISSING')
      await expectCode(
        world.log.readGroup({ ...reading, group: 'g', startAt: () => Promise.resolve(null) }),
        'LOG_TOPIC_MISSING',
      )
    })
  })

  describe('a signal', () => {
    const reading = {
      onBatch: () => Promise.resolve(),
      maxBatchRecords: 1,
      onError: () => undefined,
    }
    const calls = (layout: TopicLayout): readonly ((call: PortCall) => Promise<unknown>)[] => {
      const { name } = layout
      return [
        (call) => world.log.applyTopics([layout], call),
        (call) => world.log.partitionCount(name, call),
        (call) => world.log.identity(name, call),
        (call) => world.log.starts(name, call),
        (call) => world.log.ends(name, call),
        (call) => world.log.append(name, [aRecord('a')], call),
        (call) => world.log.readAll({ ...reading, topics: [name], startAt: () => null }, call),
        (call) => world.log.readGroup({ ...reading, topics: [name], group: name, startAt: async () => null }, call),
      ]
    }
    const reason = new Error('the caller has gone')

    test('that is already aborted rejects every call with its reason, and nothing changes', async () => {
      const layout = aTopic()
      const absent = aTopic()
      await world.log.applyTopics([layout])
      for (const work of calls(layout)) {
        await expect(work({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      }
      await expect(world.log.applyTopics([absent], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expectCode(world.log.partitionCount(absent.name), 'LOG_TOPIC_MISSING')
      expect(await world.log.ends(layout.name)).toEqual([0, 0, 0, 0])
    })

    test('that is aborted during a call rejects it, unless the call has ended; the log keeps working', async () => {
      const layout = aTopic()
      await world.log.applyTopics([layout])
      for (const work of calls(layout)) {
        const stop = new AbortController()
        const ended = work({ signal: stop.signal }).then(
          (outcome) => {
            // The caller must stop a reader that was open before the abort.
            if (typeof outcome === 'object' && outcome !== null && 'stop' in outcome) readers.push(outcome as LogReader)
            return reason
          },
          (error: unknown) => error,
        )
        stop.abort(reason)
        expect(await ended).toBe(reason)
      }
      const [place] = await world.log.append(layout.name, [aRecord('b', { partition: 3 })])
      const read = recordsOf(await readBack(layout.name), 3)
      expect(read.find(({ position }) => position === place?.position)?.key).toBe('k')
    })
  })

  describe('closed', () => {
    test('it refuses every call, has stopped its readers, and can be closed again', async () => {
      const layout = aTopic()
      const topic = layout.name
      const closing = await world.fixture.open(layout)
      const reading = {
        topics: [topic],
        onBatch: () => Promise.resolve(),
        maxBatchRecords: 1,
        onError: () => undefined,
      }
      const reader = await closing.readAll({ ...reading, startAt: () => null })
      await closing.append(topic, [aRecord('a')]).catch(() => undefined)
      await closing.close()
      await closing.close()
      await reader.stop()
      await expectCode(closing.append(topic, [aRecord('a')]), 'LOG_CLOSED')
      await expectCode(closing.applyTopics([]), 'LOG_CLOSED')
      await expectCode(closing.partitionCount(topic), 'LOG_CLOSED')
      await expectCode(closing.starts(topic), 'LOG_CLOSED')
      await expectCode(closing.ends(topic), 'LOG_CLOSED')
      await expectCode(closing.readAll({ ...reading, startAt: () => null }), 'LOG_CLOSED')
      await expectCode(
        closing.readGroup({ ...reading, group: 'g', startAt: () => Promise.resolve(null) }),
        'LOG_CLOSED',
      )
    })
  })
}
