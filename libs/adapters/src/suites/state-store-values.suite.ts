import { describe, expect, test } from 'vitest'
import { aCommit, bytes, collect, noEnds, put, text } from './state-store.builders.ts'
import { scope } from './state-store.world.ts'
import type { StateStoreWorld } from './state-store.world.ts'

/** What every state store promises to those that read and write values. */
export function storeValuesContract(world: StateStoreWorld): void {
  const { apply, value } = world
  describe('reading', () => {
    test('an empty partition has no position, no values, no meta', async () => {
      expect(await world.store.read(scope, 0, ['a', 'b'])).toEqual({ position: null, values: [null, null] })
      expect(await world.store.read(scope, 0, [])).toEqual({ position: null, values: [] })
      const query = {
        scope,
        partition: 0,
        keys: ['a'],
        hashes: new BigUint64Array([1n]),
        generations: [1],
        ends: noEnds,
      }
      const read = await world.store.readForFold(query)
      expect(read).toEqual({ position: null, meta: null, values: [null], seen: new Uint8Array([0]), ends: [] })
      expect(await world.store.positions(scope, [0, 1])).toEqual([null, null])
    })

    test('returns values in the order of the keys, and a repeated key twice', async () => {
      await apply({ next: 7, puts: [put('a', 'A'), put('b', 'B')], meta: bytes('meta') })
      const read = await world.store.read(scope, 0, ['b', 'missing', 'a', 'b'])
      expect(read.values.map(text)).toEqual(['B', null, 'A', 'B'])
      expect(read.position).toBe(7)
      const hashes = new BigUint64Array(0)
      const fold = await world.store.readForFold({
        scope,
        partition: 0,
        keys: ['b', 'missing', 'a'],
        hashes,
        generations: [],
        ends: noEnds,
      })
      expect(fold.values.map(text)).toEqual(['B', null, 'A'])
      expect(text(fold.meta)).toBe('meta')
      expect(fold.position).toBe(7)
    })

    test('10,000 keys are read in one call', async () => {
      const puts = Array.from({ length: 10_000 }, (_, i) => put(`k${i}`, `v${i}`))
      await apply({ puts })
      const keys = puts.map(({ key }) => key)
      const expected = keys.map((_, i) => `v${i}`)
      expect((await world.store.read(scope, 0, keys)).values.map(text)).toEqual(expected)
      const query = { scope, partition: 0, keys, hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      expect((await world.store.readForFold(query)).values.map(text)).toEqual(expected)
    })

    test('values belong to their scope and partition', async () => {
      await apply({ puts: [put('k', 'here')] })
      for (const other of ['user.2', 'user.11', 'pin.1', 'user']) {
        expect((await world.store.read(other, 0, ['k'])).values).toEqual([null])
      }
      for (const partition of [1, 10]) expect(await value('k', partition)).toBeNull()
      expect(await world.store.positions(scope, [1, 0])).toEqual([null, 1])
    })

    test('a put that may wait for other writes is read and scanned at once', async () => {
      const lingerMs = 600_000
      const written = [
        world.store.put(scope, 0, put('k', 'first'), { lingerMs }),
        world.store.put(scope, 0, put('k', 'last'), { lingerMs }),
      ]
      expect(await value('k')).toBe('last')
      await Promise.all(written)
      const more = world.store.put(scope, 0, put('other', 'v'), { lingerMs })
      expect((await collect(world.store.scan(scope, 0))).map(({ key }) => key).sort()).toEqual(['k', 'other'])
      await more
    })

    test('later changes to the bytes of a writer or reader have no effect', async () => {
      const mine = bytes('kept')
      await apply({ puts: [{ key: 'k', value: mine, ttlMs: null }] })
      mine.fill(0)
      const read = (await world.store.read(scope, 0, ['k'])).values[0]
      expect(text(read)).toBe('kept')
      read?.fill(0)
      expect(await value('k')).toBe('kept')
    })

    test('a read sees all of a commit or nothing', async () => {
      const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
      let torn = 0
      let writing = true
      const reader = async () => {
        while (writing) {
          const { position, values } = await world.store.read(scope, 0, keys)
          const expected = position === null ? null : String(position)
          if (values.some((found) => text(found) !== expected)) torn++
          // A store that answers immediately would not let the writer run.
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const readers = [reader(), reader()]
      for (let at = 0; at < 100; at++) {
        await apply({ from: at, next: at + 1, puts: keys.map((key) => put(key, String(at + 1))) })
      }
      writing = false
      await Promise.all(readers)
      expect(torn).toBe(0)
    })
  })

  describe('bytes', () => {
    test('keys are any text and values any bytes', async () => {
      const keys = [
        'плюс+ü',
        '😀 user',
        'a:b/c{d}[e]*?^-\\',
        'line\nbreak\u0000nul',
        ' ',
        '%7B',
        'user.1',
        'x'.repeat(128),
      ]
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      const puts = keys.map((key, i) => ({ key, value: i % 2 === 0 ? all : new Uint8Array(0), ttlMs: null }))
      await apply({ puts, meta: all })
      const query = { scope, partition: 0, keys, hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      const read = await world.store.readForFold(query)
      expect(read.values).toEqual(puts.map((each) => each.value))
      expect(read.meta).toEqual(all)
      const found = (await collect(world.store.scan(scope, 0))).sort(
        (a, b) => keys.indexOf(a.key) - keys.indexOf(b.key),
      )
      expect(found).toEqual(puts.map((each) => ({ key: each.key, value: each.value })))
    })

    test('an empty value is not an absent one', async () => {
      await apply({ puts: [put('k', '')], meta: new Uint8Array(0) })
      expect((await world.store.read(scope, 0, ['k'])).values).toEqual([new Uint8Array(0)])
      const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      expect((await world.store.readForFold(query)).meta).toEqual(new Uint8Array(0))
    })

    test('stores and returns 1 MiB', async () => {
      const large = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) & 255)
      await apply({ puts: [{ key: 'large', value: large, ttlMs: null }] })
      const read = (await world.store.read(scope, 0, ['large'])).values[0]
      expect(read && Buffer.from(read).equals(large)).toBe(true)
    })

    test('a value, key or meta above the limit is STORE_VALUE_TOO_LARGE and nothing of its commit is applied', async () => {
      const large = { key: 'large', value: new Uint8Array((8 << 20) + 1), ttlMs: null }
      const longKey = put('k'.repeat(1025), 'v')
      for (const puts of [[put('small', 's'), large], [longKey]]) {
        await expect(world.store.commit(aCommit({ puts }))).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
      }
      await expect(world.store.commit(aCommit({ meta: large.value }))).rejects.toMatchObject({
        code: 'STORE_VALUE_TOO_LARGE',
      })
      await expect(world.store.put(scope, 0, large)).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
      expect(await world.store.read(scope, 0, ['small'])).toEqual({ position: null, values: [null] })
    })

    test('positions up to 2^53 - 1 are exact', async () => {
      const most = Number.MAX_SAFE_INTEGER
      await apply({ next: most - 1 })
      await apply({ from: most - 1, next: most })
      expect((await world.store.read(scope, 0, [])).position).toBe(most)
    })
  })
}
