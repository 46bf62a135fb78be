import type { LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { describe, expect, test } from 'vitest'
import { aRecord, keyOf, until } from './event-log.builders.ts'
import type { BatchHandler, EventLogWorld } from './event-log.world.ts'

/** What every event log promises to the members of a group. */
export function logGroupContract(world: EventLogWorld): void {
  const { made, member } = world
  describe('a group', () => {
    /** Handles batches like the updater: starts at the stored position, and fails on any gap or repeat. */
    function aLedger() {
      const stored = new Map<string, number>()
      const records = new Map<string, number[]>()
      const owners = new Map<string, string>()
      const overlaps: string[] = []
      return {
        stored,
        records,
        overlaps,
        count: () => [...records.values()].reduce((sum, list) => sum + list.length, 0),
        startAt: (at: TopicPartition) => Promise.resolve(stored.get(keyOf(at)) ?? null),
        handler: (owner: string, handlingMs: number) => async (batch: LogBatch) => {
          const key = keyOf(batch)
          const present = owners.get(key)
          if (present !== undefined) overlaps.push(`${key}: ${owner} while ${present}`)
          owners.set(key, owner)
          if ((stored.get(key) ?? 0) !== batch.from) overlaps.push(`${key}: from ${batch.from}, not ${stored.get(key)}`)
          await new Promise((resolve) => setTimeout(resolve, handlingMs))
          records.set(key, [...(records.get(key) ?? []), ...batch.records.map(({ position }) => position)])
          stored.set(key, batch.next)
          owners.delete(key)
        },
      }
    }

    test('begins at the stored position, whatever was read before', async () => {
      const topic = await made({ partitions: 1 })
      const group = `g-${topic}`
      await world.log.append(
        topic,
        Array.from({ length: 10 }, (_, i) => aRecord(String(i))),
      )
      const read: number[] = []
      const handler: BatchHandler = ({ records }) => void read.push(...records.map(({ position }) => position))
      const first = await member(world.log, { group, topics: [topic], startAt: () => Promise.resolve(null) }, handler)
      await until('ten records', () => read.length === 10)
      await first.stop()
      read.length = 0
      const assigned: TopicPartition[] = []
      const readBefore: number[] = []
      const second = await member(
        world.log,
        {
          group,
          topics: [topic],
          startAt: () => Promise.resolve(6),
          onAssigned: (partitions) => {
            readBefore.push(...read)
            assigned.push(...partitions)
          },
        },
        handler,
      )
      await until('four records', () => read.length === 4)
      expect(read).toEqual([6, 7, 8, 9])
      expect(readBefore).toEqual([])
      expect(assigned).toEqual([{ topic, partition: 0 }])
      expect(second.assigned()).toEqual([{ topic, partition: 0 }])
      expect(second.handled({ topic, partition: 0 })).toBe(10)
    })

    test('calls startAt again after it failed', async () => {
      const topic = await made({ partitions: 1 })
      await world.log.append(topic, [aRecord('a'), aRecord('b')])
      let asked = 0
      const errors: string[] = []
      const read: number[] = []
      await member(
        world.log,
        {
          group: `g-${topic}`,
          topics: [topic],
          onError: ({ message }) => void errors.push(message),
          startAt: () => (++asked < 3 ? Promise.reject(new Error('store away')) : Promise.resolve(1)),
        },
        ({ records }) => void read.push(...records.map(({ position }) => position)),
      )
      await until('a record', () => read.length > 0)
      expect(read).toEqual([1])
      expect(errors.filter((message) => message === 'store away')).toHaveLength(2)
    })

    test('of two members hands partitions over without two owners at the same time, and neither loses nor repeats a record', async () => {
      const topics = [await made({ partitions: 4 }), await made({ partitions: 4 })]
      const group = `g-${topics[0]}`
      const ledger = aLedger()
      let sent = 0
      let sending = true
      const send = (async () => {
        while (sending) {
          for (const topic of topics) {
            await world.log.append(
              topic,
              Array.from({ length: 8 }, (_, i) => aRecord(String(sent + i), { partition: i % 4 })),
            )
            sent += 8
          }
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })()
      const options = { group, topics, startAt: ledger.startAt, maxBatchRecords: 10 }
      const one = await member(world.log, options, ledger.handler('one', 15))
      await until('the first to read', () => ledger.count() > 50)
      const two = await member(world.fixture.other, options, ledger.handler('two', 15))
      await until('both to have a part', () => one.assigned().length === 4 && two.assigned().length === 4)
      const owned = new Set([...one.assigned(), ...two.assigned()].map(keyOf))
      expect(owned.size).toBe(8)
      // Partitions of equal number, which hold the same keys, belong to the same member.
      for (const reader of [one, two]) {
        const numbers = (topic: string | undefined) =>
          reader
            .assigned()
            .flatMap((at) => (at.topic === topic ? [at.partition] : []))
            .toSorted()
        expect(numbers(topics[0])).toEqual(numbers(topics[1]))
      }
      const middle = ledger.count()
      await until('more to be read', () => ledger.count() > middle + 50)
      await one.stop()
      expect(one.assigned()).toEqual([])
      await until('the second to have all', () => two.assigned().length === 8)
      sending = false
      await send
      await until('everything to be read', () => ledger.count() >= sent)
      expect(ledger.overlaps).toEqual([])
      for (const topic of topics) {
        for (let partition = 0; partition < 4; partition++) {
          const positions = ledger.records.get(keyOf({ topic, partition })) ?? []
          expect(positions).toEqual(Array.from({ length: sent / 8 }, (_, i) => i))
        }
      }
    })

    test('notifies a member of gained and lost partitions', async () => {
      const topic = await made({ partitions: 2 })
      const group = `g-${topic}`
      const ledger = aLedger()
      const held = new Set<string>()
      const options = {
        group,
        topics: [topic],
        startAt: ledger.startAt,
        onAssigned: (partitions: readonly TopicPartition[]) => partitions.forEach((at) => held.add(keyOf(at))),
        onRevoked: (partitions: readonly TopicPartition[]) => partitions.forEach((at) => held.delete(keyOf(at))),
      }
      const one = await member(world.log, options, ledger.handler('one', 1))
      await until('both partitions', () => held.size === 2)
      const { startAt } = ledger
      const two = await member(world.fixture.other, { group, topics: [topic], startAt }, ledger.handler('two', 1))
      await until('one partition each', () => held.size === 1 && two.assigned().length === 1)
      expect(one.assigned().map(keyOf)).toEqual([...held])
      await two.stop()
      await until('both partitions again', () => held.size === 2)
      await one.stop()
      expect(held.size).toBe(0)
    })
  })
}
