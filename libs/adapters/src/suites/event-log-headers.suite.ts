import { maxHeaders, maxHeadersBytes, noHeaders } from '@freshet/contracts/headers'
import type { MessageHeaders } from '@freshet/contracts/headers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aRecord, expectCode, recordsOf, text } from './event-log.builders.ts'
import type { EventLogWorld } from './event-log.world.ts'

/** What every event log promises of the headers of records. */
export function logHeadersContract(world: EventLogWorld): void {
  const { made, readBack } = world
  describe('headers', () => {
    const appended = async (
      records: readonly (MessageHeaders | undefined)[],
      shared?: MessageHeaders,
    ): Promise<readonly MessageHeaders[]> => {
      const topic = await made({ partitions: 1 })
      await world.log.append(
        topic,
        records.map((headers, i) => ({ ...aRecord(`value ${i}`), ...(headers !== undefined && { headers }) })),
        shared === undefined ? {} : { headers: shared },
      )
      const read = recordsOf(await readBack(topic), 0)
      expect(read.map(({ value }) => text(value))).toEqual(records.map((_, i) => `value ${i}`))
      return read.map(({ headers }) => headers)
    }
    const many = Object.fromEntries(Array.from({ length: maxHeaders }, (_, i) => [`name-${i}`, `value ${i}`]))

    test('are read with their record', async () => {
      const given = [{ origin: 'test/1' }, undefined, many, {}, { origin: 'test/1' }, { origin: 'test/2', schema: '3' }]
      expect(await appended(given)).toEqual(given.map((headers) => headers ?? {}))
    })

    test('of an append apply to each of its records; the own headers of a record win', async () => {
      const read = await appended([undefined, { schema: '2', traceparent: 'x' }, {}], {
        origin: 'test/1',
        schema: '1',
      })
      expect(read).toEqual([
        { origin: 'test/1', schema: '1' },
        { origin: 'test/1', schema: '2', traceparent: 'x' },
        { origin: 'test/1', schema: '1' },
      ])
    })

    test('may be any text: empty, beyond ASCII, control characters, names that objects know', async () => {
      const odd = Object.fromEntries([
        ['', ''],
        ['Schlüssel 🗝', 'Wert ✓'],
        ['control', '\u0000\n\u007f'],
        ['__proto__', 'a text'],
        ['constructor', 'another'],
      ])
      const [read] = await appended([odd])
      expect(Object.entries(read ?? {})).toEqual(Object.entries(odd))
    })

    test('stay with their records if the value is null or empty', async () => {
      const topic = await made({ partitions: 1 })
      const headers = { origin: 'test/1' }
      await world.log.append(topic, [
        { ...aRecord(null), headers },
        { ...aRecord(''), headers },
      ])
      const read = recordsOf(await readBack(topic), 0)
      expect(read.map((record) => ({ value: text(record.value), headers: record.headers }))).toEqual([
        { value: null, headers },
        { value: '', headers },
      ])
    })

    test('are copied from the given object, and are frozen when read', async () => {
      const topic = await made({ partitions: 1 })
      const headers: Record<string, string> = { origin: 'before' }
      const append = world.log.append(topic, [{ ...aRecord('a'), headers }], { headers })
      headers['origin'] = 'after'
      await append
      const read = recordsOf(await readBack(topic), 0)[0]?.headers ?? noHeaders
      expect(read).toEqual({ origin: 'before' })
      expect(Object.isFrozen(read)).toBe(true)
    })

    test('are read as they were appended, for any headers', async () => {
      const headers = fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 }), { maxKeys: 8 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.option(headers, { nil: undefined }), { maxLength: 12 }),
          headers,
          async (own, shared) => {
            expect(await appended(own, shared)).toEqual(own.map((one) => ({ ...shared, ...one })))
          },
        ),
        { numRuns: 8, seed: 11 },
      )
    })

    test('over the limit are refused together with their whole append', async () => {
      const topic = await made({ partitions: 1 })
      const tooMany = { ...many, 'one-more': '' }
      const tooLong = { n: 'x'.repeat(maxHeadersBytes) }
      for (const headers of [tooMany, tooLong]) {
        await expectCode(world.log.append(topic, [aRecord('a'), { ...aRecord('b'), headers }]), 'HEADERS_TOO_LARGE')
        await expectCode(world.log.append(topic, [aRecord('a')], { headers }), 'HEADERS_TOO_LARGE')
      }
      // Each is allowed alone.
      const joined = world.log.append(topic, [{ ...aRecord('a'), headers: { 'one-more': '' } }], { headers: many })
      await expectCode(joined, 'HEADERS_TOO_LARGE')
      expect(await world.log.ends(topic)).toEqual([0])
      const longest = { n: 'x'.repeat(maxHeadersBytes - 1) }
      expect(await appended([longest])).toEqual([longest])
    })

    test("count as bytes of the record: the topic's limit holds with them", async () => {
      const topic = await made({ partitions: 1 })
      const headers = { origin: 'x'.repeat(1_000) }
      const value = new Uint8Array((1 << 20) - 500)
      await expectCode(world.log.append(topic, [{ key: 'k', value, partition: 0, headers }]), 'LOG_RECORD_TOO_LARGE')
      await world.log.append(topic, [{ key: 'k', value, partition: 0 }])
      expect(await world.log.ends(topic)).toEqual([1])
    })

    test('survive compaction', async () => {
      const topic = await made({ partitions: 1, cleanup: 'compact' })
      for (const version of ['1', '2']) {
        await world.log.append(topic, [{ ...aRecord(version), headers: { origin: `test/${version}` } }])
      }
      await world.fixture.compact(topic)
      // Some adapters compact only after further records.
      const kept = recordsOf(await readBack(topic), 0).find(({ value }) => text(value) === '2')
      expect(kept?.headers).toEqual({ origin: 'test/2' })
    })
  })
}
