import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { describe, expect, test } from 'vitest'
import { aRecord, aTopic, recordsOf, text, until } from './event-log.builders.ts'
import type { EventLogWorld } from './event-log.world.ts'

/** What every event log promises where it compacts or expires records. */
export function logRetentionContract(world: EventLogWorld): void {
  const { made, view, member, readBack, readers } = world
  describe('compaction', () => {
    test('keeps the last record of each key; readers skip the gaps and reach the end', async () => {
      const topic = await made({ partitions: 1, cleanup: 'compact' })
      const keys = 10
      for (let round = 0; round < 30; round++) {
        await world.log.append(
          topic,
          Array.from({ length: keys }, (_, i) => aRecord(`${i}:${round}`, { key: `pin-${i}` })),
        )
      }
      await world.log.append(topic, [aRecord(null, { key: 'pin-0' }), aRecord('last', { key: 'pin-last' })])
      let batches: readonly LogBatch[] = []
      await until(
        'the log to be compacted',
        async () => {
          await world.fixture.compact(topic)
          batches = await readBack(topic, 4)
          return recordsOf(batches, 0).length <= 3 * keys
        },
        60_000,
      )
      const [end] = await world.log.ends(topic)
      expect(end).toBeGreaterThanOrEqual(30 * keys + 2)
      let stands = 0
      for (const batch of batches) {
        expect(batch.from).toBe(stands)
        for (const { position } of batch.records) {
          expect(position).toBeGreaterThanOrEqual(batch.from)
          expect(position).toBeLessThan(batch.next)
        }
        stands = batch.next
      }
      expect(stands).toBe(end)
      const lastOf = new Map(recordsOf(batches, 0).map(({ key, value }) => [key, text(value)]))
      expect(lastOf.get('pin-0') ?? null).toBeNull()
      for (let i = 1; i < keys; i++) expect(lastOf.get(`pin-${i}`)).toBe(`${i}:29`)
      expect(lastOf.get('pin-last')).toBe('last')

      const inGap: LogBatch[] = []
      const reader = await world.log.readAll({
        topics: [topic],
        onBatch: (batch) => Promise.resolve(void inGap.push(batch)),
        maxBatchRecords: 1_000,
        onError: () => undefined,
        startAt: () => 5,
      })
      readers.push(reader)
      await until('the end from within a gap', () => reader.handled({ topic, partition: 0 }) === end)
      expect(inGap[0]?.from).toBe(5)
      expect(await reader.lag()).toBe(0)
    })
  })

  describe('retention', () => {
    test('that removes everything: readers report the lost range, reach the end, and continue from there', async () => {
      const layout = aTopic({ partitions: 2 })
      await world.log.applyTopics([layout])
      const topic = layout.name
      await world.log.append(
        topic,
        Array.from({ length: 5 }, (_, i) => aRecord(String(i), { partition: 0 })),
      )
      await world.fixture.expire(layout)
      const [end] = await world.log.ends(topic)
      expect(await world.log.starts(topic)).toEqual([end, 0])

      const batches: LogBatch[] = []
      const reader = await view([topic], (batch) => void batches.push(batch))
      const stored = new Map<number, number>()
      const misplaced: string[] = []
      await member(
        world.log,
        {
          group: `g-${topic}`,
          topics: [topic],
          startAt: ({ partition }) => Promise.resolve(stored.get(partition) ?? null),
        },
        ({ partition, from, next }) => {
          const expected = stored.get(partition) ?? 0
          if (from !== expected) misplaced.push(`partition ${partition}: from ${from}, not ${expected}`)
          stored.set(partition, next)
        },
      )
      await until('the end', () => reader.handled({ topic, partition: 0 }) === end && stored.get(0) === end)
      expect(batches).toEqual([{ topic, partition: 0, from: 0, next: end, records: [], end }])
      expect(await reader.lag()).toBe(0)

      await world.log.append(topic, [aRecord('after', { partition: 0 }), aRecord('other', { partition: 1 })])
      await until('what came afterwards', () => batches.length === 3 && stored.get(1) === 1)
      expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(['after'])
      expect(batches.find(({ partition, records }) => partition === 0 && records.length > 0)?.from).toBe(end)
      expect(misplaced).toEqual([])
    })
  })
}
