import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aRecord, bytes, expectCode, recordsOf, text } from './event-log.builders.ts'
import type { EventLogWorld } from './event-log.world.ts'

/** What every event log promises of appends. */
export function logAppendContract(world: EventLogWorld): void {
  const { made, readBack } = world
  describe('append', () => {
    test('returns positions in the order of the records, and each record is at its position', async () => {
      const topic = await made()
      const records = Array.from({ length: 300 }, (_, i) =>
        aRecord(`value ${i}`, { key: `user-${i % 37}`, partition: i % 5 === 0 ? i % 4 : null }),
      )
      const positions = await world.log.append(topic, records)
      const batches = await readBack(topic)
      expect(positions).toHaveLength(records.length)
      records.forEach((record, i) => {
        const { partition, position } = positions[i]!
        expect(partition).toBe(record.partition ?? partitionOf(record.key, 4))
        const found = recordsOf(batches, partition).find((read) => read.position === position)
        expect({ key: found?.key, value: text(found?.value ?? null) }).toEqual({
          key: record.key,
          value: `value ${i}`,
        })
      })
      expect(batches.reduce((sum, batch) => sum + batch.records.length, 0)).toBe(records.length)
    })

    test('keeps bytes unchanged: empty and null values, keys beyond ASCII, all byte values', async () => {
      const topic = await made({ partitions: 1 })
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      await world.log.append(topic, [
        { key: 'leer', value: new Uint8Array(0), partition: null },
        { key: 'entfernt', value: null, partition: null },
        { key: 'Schlüssel 🗝', value: all, partition: null },
        { key: '', value: all, partition: 0 },
      ])
      const read = recordsOf(await readBack(topic), 0)
      expect(read.map(({ key }) => key)).toEqual(['leer', 'entfernt', 'Schlüssel 🗝', ''])
      expect(read.map(({ value }) => value && [...value])).toEqual([[], null, [...all], [...all]])
      // The slice of a Buffer would be a view on memory that others write to.
      expect(read[2]?.value?.constructor).toBe(Uint8Array)
    })

    test('copies the bytes it receives', async () => {
      const topic = await made({ partitions: 1 })
      const value = bytes('before')
      const appended = world.log.append(topic, [{ key: 'k', value, partition: null }])
      value.fill(0)
      await appended
      expect(text(recordsOf(await readBack(topic), 0)[0]?.value ?? null)).toBe('before')
    })

    test('of values that nobody changes any more keeps the same bytes', async () => {
      const topic = await made({ partitions: 1 })
      const memory = bytes('one two three')
      const values = [memory.subarray(0, 3), memory.subarray(4, 7), null, memory.subarray(8)]
      const records = values.map((value, i) => ({ key: `key ${i}`, value, partition: null }))
      await world.log.append(topic, records, { finalValues: true })
      const read = recordsOf(await readBack(topic), 0)
      expect(read.map(({ value }) => text(value))).toEqual(values.map((value) => text(value)))
      expect(read[0]?.value?.constructor).toBe(Uint8Array)
    })

    test('records the append time', async () => {
      const topic = await made({ partitions: 1 })
      const before = Date.now()
      await world.log.append(topic, [aRecord('a')])
      const at = recordsOf(await readBack(topic), 0)[0]?.appendedAtMs ?? 0
      expect(at).toBeGreaterThanOrEqual(before - 1_000)
      expect(at).toBeLessThanOrEqual(Date.now() + 1_000)
    })

    test('of no records returns no positions', async () => {
      expect(await world.log.append(await made(), [])).toEqual([])
    })

    test('accepts concurrent appends: each record has its own position, each caller keeps its order', async () => {
      const topic = await made()
      const callers = 100
      const answers = await Promise.all(
        Array.from({ length: callers }, (_, caller) =>
          world.log.append(
            topic,
            Array.from({ length: 7 }, (_, i) => aRecord(`${caller}:${i}`, { partition: caller % 4 })),
          ),
        ),
      )
      const places = answers.flat().map(({ partition, position }) => `${partition}/${position}`)
      expect(new Set(places).size).toBe(callers * 7)
      for (const positions of answers) {
        expect(positions.map(({ position }) => position)).toEqual(
          positions.map(({ position }) => position).sort((a, b) => a - b),
        )
      }
      const read = (await readBack(topic)).flatMap((batch) => batch.records.map(({ value }) => text(value)))
      expect(read.sort()).toEqual(Array.from({ length: callers * 7 }, (_, i) => `${Math.floor(i / 7)}:${i % 7}`).sort())
    })

    test('a partition returns the records appended to it, in that order', async () => {
      const topic = await made({ partitions: 3 })
      const expected: string[][] = [[], [], []]
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.record({ partition: fc.nat(2), value: fc.string() }), { maxLength: 20 }), {
            maxLength: 6,
          }),
          async (appends) => {
            for (const records of appends) {
              await world.log.append(
                topic,
                records.map(({ partition, value }) => aRecord(value, { partition })),
              )
              for (const { partition, value } of records) expected[partition]!.push(value)
            }
          },
        ),
        { numRuns: 15, seed: 7 },
      )
      const batches = await readBack(topic)
      expect([0, 1, 2].map((partition) => recordsOf(batches, partition).map(({ value }) => text(value)))).toEqual(
        expected,
      )
    })

    test('accepts several records of 1 MiB, and refuses a larger one together with its whole batch', async () => {
      const topic = await made({ partitions: 2 })
      const key = 'k'
      const large = new Uint8Array((1 << 20) - key.length).fill(7)
      await world.log.append(
        topic,
        Array.from({ length: 5 }, () => ({ key, value: large, partition: 1 })),
      )
      const tooLarge = new Uint8Array((1 << 20) + 1 - key.length)
      await expectCode(
        world.log.append(topic, [aRecord('small', { partition: 0 }), { key, value: tooLarge, partition: 0 }]),
        'LOG_RECORD_TOO_LARGE',
      )
      await world.log.append(topic, [aRecord('after', { partition: 1 })])
      const batches = await readBack(topic)
      expect(recordsOf(batches, 0)).toEqual([])
      expect(recordsOf(batches, 1).map(({ value }) => value?.length)).toEqual([
        ...Array<number>(5).fill(large.length),
        5,
      ])
      expect(recordsOf(batches, 1)[4]?.value?.every((byte) => byte === 7)).toBe(true)
    })

    test('refuses a partition that the topic does not have', async () => {
      const topic = await made({ partitions: 2 })
      await expect(world.log.append(topic, [aRecord('a', { partition: 2 })])).rejects.toThrow(/partition/)
      await expect(world.log.append(topic, [aRecord('a', { partition: -1 })])).rejects.toThrow(/partition/)
    })

    test('with an aborted signal rejects with its reason', async () => {
      const topic = await made()
      const stop = new AbortController()
      const reason = new Error('enough')
      const late = world.log.append(topic, [aRecord('a')], { signal: stop.signal })
      stop.abort(reason)
      const ended = await late.then(
        () => reason,
        (error: unknown) => error,
      )
      expect(ended).toBe(reason)
      await expect(world.log.append(topic, [aRecord('b')], { signal: stop.signal })).rejects.toBe(reason)
    })
  })
}
