import { describe, expect, test } from 'vitest'
import { aCommit, bytes, collect, eventually, noEnds, put, text } from './state-store.builders.ts'
import { scope } from './state-store.world.ts'
import type { StateStoreWorld } from './state-store.world.ts'

/** What every state store promises of expiry, the dedupe memory, short-lived values, pointers and scopes. */
export function storeLivesContract(world: StateStoreWorld): void {
  const { apply, value } = world
  describe('expiry', () => {
    test('an append renews the TTL of its value, and never revives an expired value', async () => {
      await apply({ next: 1, puts: [put('k', 'a', 300), put('over', 'x', 100)] })
      await world.fixture.pass(200)
      await apply({ from: 1, next: 2, appends: [put('k', 'b', 300), put('over', 'y', 60_000)] })
      expect(await value('over')).toBe('y')
      await world.fixture.pass(200)
      expect(await value('k')).toBe('ab')
      await world.fixture.pass(110)
      await eventually(async () => expect(await value('k')).toBeNull())
    })

    test('a value expires after its TTL without a write, others stay', async () => {
      await apply({
        puts: [put('gone', 'v', 200), put('again', 'v', 200), put('long', 'v', 600_000), put('ever', 'v')],
      })
      await apply({ from: 1, next: 2, puts: [put('again', 'w', 600_000)] })
      expect(await value('gone')).toBe('v')
      await world.fixture.pass(201)
      await eventually(async () => expect(await value('gone')).toBeNull())
      const keys = ['gone', 'again', 'long', 'ever']
      expect((await world.store.read(scope, 0, keys)).values.map(text)).toEqual([null, 'w', 'v', 'v'])
      expect((await collect(world.store.scan(scope, 0))).map(({ key }) => key).sort()).toEqual([
        'again',
        'ever',
        'long',
      ])
    })

    test('a write without a TTL removes an earlier TTL', async () => {
      await apply({ puts: [put('k', 'v', 100)] })
      await apply({ from: 1, next: 2, puts: [put('k', 'w')] })
      await world.fixture.pass(150)
      expect(await value('k')).toBe('w')
    })

    test('positions and meta never expire', async () => {
      await apply({ puts: [put('k', 'v', 50)], meta: bytes('m') })
      await world.fixture.pass(60)
      await eventually(async () => expect(await value('k')).toBeNull())
      expect(await world.store.positions(scope, [0])).toEqual([1])
    })
  })

  describe('the dedupe memory', () => {
    const seen = async (hashes: readonly bigint[], generations: readonly number[], partition = 0) => {
      const query = { scope, partition, keys: [], hashes: BigUint64Array.from(hashes), generations, ends: noEnds }
      return [...(await world.store.readForFold(query)).seen]
    }

    test('an id is known in the requested generations, and only in its own partition', async () => {
      const most = 0xffffffffffffffffn
      const remember = [
        { generation: 5, hashes: BigUint64Array.from([0n, 1n, most]), ttlMs: 60_000 },
        { generation: 6, hashes: BigUint64Array.from([2n, 1n << 63n]), ttlMs: 60_000 },
        { generation: 7, hashes: new BigUint64Array(0), ttlMs: 60_000 },
      ]
      await apply({ remember })
      const ids = [0n, 1n, 2n, 3n, 1n << 63n, most, 1n]
      expect(await seen(ids, [5])).toEqual([1, 1, 0, 0, 0, 1, 1])
      expect(await seen(ids, [6])).toEqual([0, 0, 1, 0, 1, 0, 0])
      expect(await seen(ids, [4, 5, 6, 7])).toEqual([1, 1, 1, 0, 1, 1, 1])
      expect(await seen(ids, [])).toEqual([0, 0, 0, 0, 0, 0, 0])
      expect(await seen(ids, [5, 6], 1)).toEqual([0, 0, 0, 0, 0, 0, 0])
    })

    test('ids that differ in one bit are different ids', async () => {
      const id = 0x0123456789abcdefn
      await apply({ remember: [{ generation: 1, hashes: BigUint64Array.from([id]), ttlMs: 60_000 }] })
      const near = Array.from({ length: 64 }, (_, bit) => id ^ (1n << BigInt(bit)))
      expect(await seen([id, ...near], [1])).toEqual([1, ...near.map(() => 0)])
    })

    test('20,000 ids remembered over several commits are all known and no others are', async () => {
      const mixed = (i: number) => BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n)
      for (let at = 0; at < 4; at++) {
        // Each commit repeats a thousand ids of the one before.
        const hashes = BigUint64Array.from({ length: 6000 }, (_, i) => mixed(at * 5000 + i))
        await apply({ from: at, next: at + 1, remember: [{ generation: 1, hashes, ttlMs: 60_000 }] })
      }
      const known = Array.from({ length: 21_000 }, (_, i) => mixed(i))
      const unknown = Array.from({ length: 9_000 }, (_, i) => mixed(1_000_000 + i))
      const flags = await seen([...known, ...unknown], [1])
      expect(flags.slice(0, known.length).every((flag) => flag === 1)).toBe(true)
      expect(flags.slice(known.length).every((flag) => flag === 0)).toBe(true)
    })

    test('a generation expires as a whole after its TTL without an addition', async () => {
      const remember = (generation: number, hash: bigint, ttlMs: number) => ({
        generation,
        hashes: BigUint64Array.from([hash]),
        ttlMs,
      })
      await apply({ remember: [remember(1, 1n, 250), remember(2, 2n, 250)] })
      await world.fixture.pass(150)
      await apply({ from: 1, next: 2, remember: [remember(2, 3n, 600_000)] })
      await world.fixture.pass(101)
      await eventually(async () => expect(await seen([1n, 2n, 3n], [1, 2])).toEqual([0, 1, 1]))
    })
  })

  describe('short-lived values outside the fence', () => {
    const bound = { maxBytes: 10, ttlMs: 60_000 }

    test('copies given bytes: the caller can overwrite its buffer afterwards', async () => {
      const given = Buffer.from('before')
      const wide = { maxBytes: 20, ttlMs: 60_000 }
      const writes = [
        world.store.put(scope, 0, { key: 'put', value: given, ttlMs: null }),
        world.store.append(scope, 0, 'list', given, wide),
        world.store.commit(aCommit({ puts: [{ key: 'committed', value: given, ttlMs: null }], meta: given })),
      ]
      await Promise.all(writes)
      given.fill('x')
      expect(await Promise.all(['put', 'list', 'committed'].map((key) => value(key)))).toEqual(Array(3).fill('before'))
      const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      expect(text((await world.store.readForFold(query)).meta)).toBe('before')
    })

    test('appends keep their order and the last bytes of the list', async () => {
      await world.store.append(scope, 0, 'list', bytes('abcd'), bound)
      await world.store.append(scope, 0, 'list', bytes('efgh'), bound)
      expect(await value('list')).toBe('abcdefgh')
      await world.store.append(scope, 0, 'list', bytes('ijkl'), bound)
      expect(await value('list')).toBe('cdefghijkl')
      await world.store.append(scope, 0, 'list', bytes('0123456789ABCDEF'), bound)
      expect(await value('list')).toBe('6789ABCDEF')
    })

    test('no append of several writers is lost', async () => {
      const wide = { maxBytes: 1 << 16, ttlMs: 60_000 }
      const other = world.fixture.another()
      const appends = Array.from({ length: 100 }, (_, i) =>
        (i % 2 === 0 ? world.store : other).append(scope, 0, 'list', Uint8Array.from([i]), wide),
      )
      await Promise.all(appends)
      const list = (await world.store.read(scope, 0, ['list'])).values[0]
      expect([...(list ?? [])].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    })

    test('a list expires after its TTL without an append', async () => {
      await world.store.append(scope, 0, 'list', bytes('a'), { maxBytes: 10, ttlMs: 250 })
      await world.fixture.pass(150)
      await world.store.append(scope, 0, 'list', bytes('b'), { maxBytes: 10, ttlMs: 250 })
      await world.fixture.pass(150)
      expect(await value('list')).toBe('ab')
      await world.fixture.pass(110)
      await eventually(async () => expect(await value('list')).toBeNull())
      await world.store.append(scope, 0, 'list', bytes('c'), bound)
      expect(await value('list')).toBe('c')
    })

    test('a put value replaces the previous one and has its own TTL', async () => {
      await world.store.put(scope, 3, put('page', 'one', 60_000))
      await world.store.put(scope, 3, put('page', 'two', 200))
      expect(await value('page', 3)).toBe('two')
      expect(await world.store.positions(scope, [3])).toEqual([null])
      await world.fixture.pass(201)
      await eventually(async () => expect(await value('page', 3)).toBeNull())
    })
  })

  describe('pointers', () => {
    test('a pointer moves only from its expected value', async () => {
      expect(await world.store.pointer('serving')).toBeNull()
      expect(await world.store.movePointer('serving', 'user.1', 'user.2')).toBe(false)
      expect(await world.store.movePointer('serving', null, 'user.1')).toBe(true)
      expect(await world.store.movePointer('serving', null, 'user.9')).toBe(false)
      expect(await world.store.movePointer('serving', 'user.1', 'user.2')).toBe(true)
      expect(await world.store.pointer('serving')).toBe('user.2')
      expect(await world.store.pointer('other')).toBeNull()
      expect(await world.store.movePointer('empty', null, '')).toBe(true)
      expect(await world.store.movePointer('empty', null, 'x')).toBe(false)
      expect(await world.store.pointer('empty')).toBe('')
    })

    test('only one of ten concurrent moves succeeds', async () => {
      const other = world.fixture.another()
      const moves = Array.from({ length: 10 }, (_, i) =>
        (i % 2 === 0 ? world.store : other).movePointer('serving', null, `writer ${i}`),
      )
      const moved = (await Promise.all(moves)).flatMap((did, i) => (did ? [`writer ${i}`] : []))
      expect(moved).toHaveLength(1)
      expect(await world.store.pointer('serving')).toBe(moved[0])
    })
  })

  describe('scanning and dropping', () => {
    test('a scan returns every key of its partition once, and no other', async () => {
      const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`)
      await apply({ puts: keys.map((key) => put(key, `v ${key}`)), meta: bytes('m') })
      await apply({ partition: 1, puts: [put('other', 'v')] })
      await world.store.commit(aCommit({ scope: 'user.12', puts: [put('foreign', 'v')] }))
      const found = await collect(world.store.scan(scope, 0))
      expect(found.map(({ key }) => key).sort()).toEqual([...keys].sort())
      expect(found.every(({ key, value: stored }) => text(stored) === `v ${key}`)).toBe(true)
      expect(await collect(world.store.scan(scope, 2))).toEqual([])
    })

    test('a dropped scope leaves no trace; its neighbours stay', async () => {
      const remember = [{ generation: 1, hashes: BigUint64Array.from([1n]), ttlMs: 60_000 }]
      const scopes = ['user.1', 'user.2', 'user.11', 'user', 'pin.1']
      for (const each of scopes) {
        for (const partition of [0, 1, 11]) {
          const commit = aCommit({ scope: each, partition, puts: [put('k', 'v')], meta: bytes('m'), remember })
          expect((await world.store.commit(commit)).kind).toBe('APPLIED')
        }
      }
      await world.store.dropScope('user.1', [0, 1])
      const empty = { position: null, meta: null, values: [null], seen: new Uint8Array([0]), ends: [] }
      const full = { position: 1, meta: bytes('m'), values: [bytes('v')], seen: new Uint8Array([1]), ends: [] }
      const query = { keys: ['k'], hashes: BigUint64Array.from([1n]), generations: [1], ends: noEnds }
      for (const each of scopes) {
        for (const partition of [0, 1, 11]) {
          const dropped = each === 'user.1' && partition !== 11
          expect(await world.store.readForFold({ ...query, scope: each, partition })).toEqual(dropped ? empty : full)
        }
      }
      expect(await collect(world.store.scan('user.1', 0))).toEqual([])
      await apply({ puts: [put('k', 'new life')] })
    })
  })
}
