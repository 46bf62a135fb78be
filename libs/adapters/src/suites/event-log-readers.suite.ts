import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { describe, expect, test } from 'vitest'
import { aRecord, heldBytes, keyOf, recordsOf, text, until } from './event-log.builders.ts'
import type { EventLogWorld } from './event-log.world.ts'

/** What every event log promises to readers of everything. */
export function logReadersContract(world: EventLogWorld): void {
  const { made, view, readBack, readers } = world
  describe('a reader of all partitions', () => {
    test('reads all partitions of all its topics, including later records', async () => {
      const topics = [await made({ partitions: 3 }), await made({ partitions: 2 })]
      const read: string[] = []
      for (const topic of topics) await world.log.append(topic, [aRecord('before', { partition: 1 })])
      const reader = await view(topics, (batch) => {
        for (const { value } of batch.records) read.push(`${batch.topic}/${batch.partition} ${text(value)}`)
      })
      for (const topic of topics) {
        await world.log.append(topic, [aRecord('x', { partition: 0 }), aRecord('y', { partition: 1 })])
      }
      await until('six records', () => read.length === 6)
      expect(read.toSorted()).toEqual(
        topics.flatMap((topic) => [`${topic}/0 x`, `${topic}/1 before`, `${topic}/1 y`]).toSorted(),
      )
      expect(reader.assigned().map(keyOf).toSorted()).toEqual(
        [0, 1, 2]
          .map((p) => `${topics[0]}/${p}`)
          .concat([0, 1].map((p) => `${topics[1]}/${p}`))
          .toSorted(),
      )
    })

    test('starts at the result of startAt', async () => {
      const topic = await made({ partitions: 2 })
      const positions = await world.log.append(
        topic,
        Array.from({ length: 20 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
      )
      const from = positions[10]!.position
      const batches: LogBatch[] = []
      const reader = await world.log.readAll({
        topics: [topic],
        onBatch: (batch) => Promise.resolve(void batches.push(batch)),
        maxBatchRecords: 100,
        onError: () => undefined,
        startAt: ({ partition }) => (partition === 0 ? from : null),
      })
      readers.push(reader)
      await until('both partitions to be read', async () => (await reader.lag()) === 0)
      expect(batches.find(({ partition }) => partition === 0)?.from).toBe(from)
      expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(['10', '12', '14', '16', '18'])
      expect(recordsOf(batches, 1)).toHaveLength(10)
    })

    test('does not affect another reader', async () => {
      const topic = await made()
      await world.log.append(
        topic,
        Array.from({ length: 50 }, (_, i) => aRecord(String(i), { key: `k${i}` })),
      )
      const [one, two] = await Promise.all([readBack(topic), readBack(topic)])
      for (const batches of [one, two]) expect(batches.flatMap((batch) => batch.records)).toHaveLength(50)
    })

    test('delivers at most the allowed number of records per batch, and batches without gaps', async () => {
      const topic = await made({ partitions: 1 })
      const records = Array.from({ length: 500 }, (_, i) => aRecord(String(i)))
      await world.log.append(topic, records.slice(0, 250))
      await world.log.append(topic, records.slice(250))
      const batches = await readBack(topic, 7)
      let stands = 0
      for (const { from, next, records: read, end } of batches) {
        expect(read.length).toBeLessThanOrEqual(7)
        expect(from).toBe(stands)
        expect(next).toBeGreaterThan(from)
        expect(end).toBeGreaterThanOrEqual(next)
        for (const { position } of read) {
          expect(position).toBeGreaterThanOrEqual(from)
          expect(position).toBeLessThan(next)
        }
        stands = next
      }
      expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(records.map((_, i) => String(i)))
    })

    test('reports handled positions and the lag', async () => {
      const topic = await made({ partitions: 2 })
      const at = { topic, partition: 0 }
      let release = () => {}
      const held = new Promise<void>((resolve) => (release = resolve))
      const reader = await view([topic], () => held)
      expect(reader.handled(at)).toBeNull()
      expect(await reader.lag()).toBe(0)
      await world.log.append(
        topic,
        Array.from({ length: 9 }, (_, i) => aRecord(String(i), { partition: 0 })),
      )
      expect(await reader.lag()).toBe(9)
      expect(reader.handled(at)).toBeNull()
      release()
      await until('nothing to be left', async () => (await reader.lag()) === 0)
      expect(reader.handled(at)).toBe((await world.log.ends(topic))[0])
      expect(reader.handled({ topic, partition: 1 })).toBeNull()
    })

    test('seeks by a verdict, only in that partition', async () => {
      const topic = await made({ partitions: 2 })
      await world.log.append(
        topic,
        Array.from({ length: 20 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
      )
      const batches: LogBatch[] = []
      let sentBack = false
      await view([topic], (batch) => {
        batches.push(batch)
        if (sentBack || batch.partition !== 0 || batch.next < 10) return
        sentBack = true
        return { seekTo: 4 }
      })
      await until('the records to come again', () => recordsOf(batches, 0).length >= 16)
      expect(batches.filter(({ partition }) => partition === 0).map(({ from }) => from)).toContain(4)
      expect(recordsOf(batches, 0).map(({ position }) => position)).toEqual([
        ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ...[4, 5, 6, 7, 8, 9],
      ])
      expect(recordsOf(batches, 1)).toHaveLength(10)
    })
  })

  describe('a handler', () => {
    test('that throws gets the same records again, while other partitions continue', async () => {
      const topic = await made({ partitions: 2 })
      const handled: string[][] = [[], []]
      const refused: string[] = []
      const errors: Error[] = []
      let mended = false
      const reader = await world.log.readAll({
        topics: [topic],
        maxBatchRecords: 3,
        startAt: () => null,
        onError: (error) => void errors.push(error),
        onBatch: async ({ partition, records }) => {
          const values = records.map(({ value }) => text(value) ?? '')
          if (partition === 0 && !mended) {
            refused.push(values.join())
            throw new Error('no')
          }
          handled[partition]!.push(...values)
        },
      })
      readers.push(reader)
      await world.log.append(
        topic,
        Array.from({ length: 24 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
      )
      await until('the other partition to be read and the first to be refused twice', () => {
        return handled[1]!.length === 12 && refused.length >= 2
      })
      expect(new Set(refused).size).toBe(1)
      expect(errors.some(({ message }) => message === 'no')).toBe(true)
      expect(reader.handled({ topic, partition: 0 })).toBeNull()
      mended = true
      await until('the first partition to be read', () => handled[0]!.length === 12)
      expect(handled[0]).toEqual(Array.from({ length: 12 }, (_, i) => String(2 * i)))
    })

    test('handles one batch of a partition at a time, and several partitions concurrently', async () => {
      const topic = await made({ partitions: 4 })
      const running = new Map<number, number>()
      let mostOfOne = 0
      const both = Promise.withResolvers<void>()
      let handled = 0
      await view(
        [topic],
        async ({ partition, records }) => {
          const alike = (running.get(partition) ?? 0) + 1
          running.set(partition, alike)
          mostOfOne = Math.max(mostOfOne, alike)
          if ([...running.values()].filter((batches) => batches > 0).length > 1) both.resolve()
          // The first batch stays until one of another partition joins it: a log that handed out one at a time would hang.
          await both.promise
          await new Promise((resolve) => setImmediate(resolve))
          running.set(partition, alike - 1)
          handled += records.length
        },
        5,
      )
      await world.log.append(
        topic,
        Array.from({ length: 60 }, (_, i) => aRecord(String(i), { partition: i % 4 })),
      )
      await until('all to be handled', () => handled === 60)
      expect(mostOfOne).toBe(1)
    })

    test('that is slow does not make the reader hold more than a bounded amount of data', async () => {
      const topic = await made({ partitions: 2 })
      const value = new Uint8Array(16 << 10)
      const megabytes = 96
      const perAppend = 64
      for (let sent = 0; sent < (megabytes << 20) / value.length; sent += perAppend) {
        await world.log.append(
          topic,
          Array.from({ length: perAppend }, (_, i) => ({ key: 'k', value, partition: i % 2 })),
        )
      }
      let batches = 0
      const held = Promise.withResolvers<void>()
      const before = heldBytes()
      const reader = await view([topic], async () => {
        batches++
        await held.promise
      })
      try {
        await until('both partitions to be handed out', () => batches === 2)
        const lag = await reader.lag()
        // While another reader reads all of it, this one would have had the time to hand out more.
        const other = await view([topic], () => undefined)
        await until('another reader to read all', async () => (await other.lag()) === 0)
        await other.stop()
        expect(batches).toBe(2)
        expect(await reader.lag()).toBe(lag)
        // The engine frees buffers in the background, so what the other reader held counts for a moment longer.
        if (world.fixture.storesElsewhere) {
          await until('the held data to be below its bound', () => heldBytes() - before < 40 << 20)
        }
      } finally {
        held.resolve()
      }
      await until('the rest to be read', async () => (await reader.lag()) === 0)
    })

    test('sees its signal aborted when the reader stops, and gets no further batch', async () => {
      const topic = await made({ partitions: 2 })
      let started = 0
      let ended = 0
      const reader = await view(
        [topic],
        async (_, signal) => {
          started++
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          ended++
        },
        1,
      )
      await world.log.append(
        topic,
        Array.from({ length: 6 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
      )
      await until('both partitions to be handed out', () => started === 2)
      await reader.stop()
      expect(ended).toBe(2)
      await world.log.append(topic, [aRecord('late', { partition: 0 })])
      // Another reader gets the late record; the stopped one would have, too.
      expect(recordsOf(await readBack(topic), 0).map(({ value }) => text(value))).toContain('late')
      expect(started).toBe(2)
    })
  })
}
