import { isContractError } from '@freshet/contracts/errors'
import type { StateCommit, StateStore, StoreCall } from '@freshet/contracts/ports/state-store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aCommit, bytes, collect, eventually, noEnds, text } from './state-store.builders.ts'
import { modelLaws } from './state-store.model.ts'

/** One adapter's store with its own data, and faults that tests can cause. */
export interface StateStoreFixture {
  readonly store: StateStore
  /** A second client of the same data, like another process. */
  another(): StateStore
  /** Lets wall clock time pass for expiry. */
  pass(ms: number): Promise<void>
  /** Runs `doomed`, then loses its commits, like a failover to a replica that had not received them. */
  failover?(doomed: () => Promise<void>): Promise<void>
  /** Makes the server forget its scripts. */
  flushScripts?(): Promise<void>
  /** Makes the server silent until the returned function is called. */
  outage?(): Promise<() => Promise<void>>
  /** The longest that a call may take while the server is silent. */
  readonly outageBoundMs?: number
  close(): Promise<void>
}

/**
 * Faults of an adapter's server, and whether tests can cause them here: `absent` ones are skipped by name. Faults that an
 * adapter cannot have, because it has no server, are left out together with their tests.
 */
export type StateStoreFaults = Readonly<Partial<Record<'failover' | 'flushScripts' | 'outage', 'present' | 'absent'>>>

const scope = 'user.1'

/** The contract of every state store; each test calls `makeFixture`. */
export function stateStoreContract(
  name: string,
  makeFixture: () => Promise<StateStoreFixture>,
  faults: StateStoreFaults = {},
): void {
  const testUnder = (fault: keyof StateStoreFaults, title: string, body: () => Promise<void>): void => {
    if (faults[fault] !== undefined) test.skipIf(faults[fault] === 'absent')(title, body)
  }

  describe(`${name}: a state store`, () => {
    let fixture: StateStoreFixture
    let store: StateStore
    beforeEach(async () => {
      fixture = await makeFixture()
      store = fixture.store
    })
    afterEach(() => fixture.close())

    const apply = async (change: Partial<StateCommit>): Promise<void> => {
      expect(await store.commit(aCommit(change))).toEqual({ kind: 'APPLIED', stored: change.next ?? 1 })
    }
    const value = async (key: string, partition = 0): Promise<string | null> =>
      text((await store.read(scope, partition, [key])).values[0])

    describe('reading', () => {
      test('an empty partition has no position, no values, no meta', async () => {
        expect(await store.read(scope, 0, ['a', 'b'])).toEqual({ position: null, values: [null, null] })
        expect(await store.read(scope, 0, [])).toEqual({ position: null, values: [] })
        const query = {
          scope,
          partition: 0,
          keys: ['a'],
          hashes: new BigUint64Array([1n]),
          generations: [1],
          ends: noEnds,
        }
        const read = await store.readForFold(query)
        expect(read).toEqual({ position: null, meta: null, values: [null], seen: new Uint8Array([0]), ends: [] })
        expect(await store.positions(scope, [0, 1])).toEqual([null, null])
      })

      test('returns values in the order of the keys, and a repeated key twice', async () => {
        await apply({ next: 7, puts: [put('a', 'A'), put('b', 'B')], meta: bytes('meta') })
        const read = await store.read(scope, 0, ['b', 'missing', 'a', 'b'])
        expect(read.values.map(text)).toEqual(['B', null, 'A', 'B'])
        expect(read.position).toBe(7)
        const hashes = new BigUint64Array(0)
        const fold = await store.readForFold({
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
        expect((await store.read(scope, 0, keys)).values.map(text)).toEqual(expected)
        const query = { scope, partition: 0, keys, hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        expect((await store.readForFold(query)).values.map(text)).toEqual(expected)
      })

      test('values belong to their scope and partition', async () => {
        await apply({ puts: [put('k', 'here')] })
        for (const other of ['user.2', 'user.11', 'pin.1', 'user']) {
          expect((await store.read(other, 0, ['k'])).values).toEqual([null])
        }
        for (const partition of [1, 10]) expect(await value('k', partition)).toBeNull()
        expect(await store.positions(scope, [1, 0])).toEqual([null, 1])
      })

      test('later changes to the bytes of a writer or reader have no effect', async () => {
        const mine = bytes('kept')
        await apply({ puts: [{ key: 'k', value: mine, ttlMs: null }] })
        mine.fill(0)
        const read = (await store.read(scope, 0, ['k'])).values[0]
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
            const { position, values } = await store.read(scope, 0, keys)
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
        const read = await store.readForFold(query)
        expect(read.values).toEqual(puts.map((each) => each.value))
        expect(read.meta).toEqual(all)
        const found = (await collect(store.scan(scope, 0))).sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key))
        expect(found).toEqual(puts.map((each) => ({ key: each.key, value: each.value })))
      })

      test('an empty value is not an absent one', async () => {
        await apply({ puts: [put('k', '')], meta: new Uint8Array(0) })
        expect((await store.read(scope, 0, ['k'])).values).toEqual([new Uint8Array(0)])
        const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        expect((await store.readForFold(query)).meta).toEqual(new Uint8Array(0))
      })

      test('stores and returns 1 MiB', async () => {
        const large = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) & 255)
        await apply({ puts: [{ key: 'large', value: large, ttlMs: null }] })
        const read = (await store.read(scope, 0, ['large'])).values[0]
        expect(read && Buffer.from(read).equals(large)).toBe(true)
      })

      test('a value, key or meta above the limit is STORE_VALUE_TOO_LARGE and nothing of its commit is applied', async () => {
        const large = { key: 'large', value: new Uint8Array((8 << 20) + 1), ttlMs: null }
        const longKey = put('k'.repeat(1025), 'v')
        for (const puts of [[put('small', 's'), large], [longKey]]) {
          await expect(store.commit(aCommit({ puts }))).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
        }
        await expect(store.commit(aCommit({ meta: large.value }))).rejects.toMatchObject({
          code: 'STORE_VALUE_TOO_LARGE',
        })
        await expect(store.put(scope, 0, large)).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
        expect(await store.read(scope, 0, ['small'])).toEqual({ position: null, values: [null] })
      })

      test('positions up to 2^53 - 1 are exact', async () => {
        const most = Number.MAX_SAFE_INTEGER
        await apply({ next: most - 1 })
        await apply({ from: most - 1, next: most })
        expect((await store.read(scope, 0, [])).position).toBe(most)
      })
    })

    describe('the fence', () => {
      test('APPLIED: puts, deletes and meta are stored, at the next position', async () => {
        await apply({ next: 10, puts: [put('a', '1'), put('b', '1')], meta: bytes('one') })
        await apply({ from: 10, next: 25, puts: [put('a', '2')], deletes: ['b', 'never was'], meta: null })
        const query = {
          scope,
          partition: 0,
          keys: ['a', 'b'],
          hashes: new BigUint64Array(0),
          generations: [],
          ends: noEnds,
        }
        const read = await store.readForFold(query)
        expect(read).toEqual({
          position: 25,
          meta: null,
          values: [bytes('2'), null],
          seen: new Uint8Array(0),
          ends: [],
        })
      })

      test('appends follow the puts of the same commit, or begin a value', async () => {
        await apply({ next: 1, puts: [put('a', 'base'), put('gone', 'old')] })
        await apply({ from: 1, next: 2, appends: [put('a', '+1', 60_000), put('new', 'n', 60_000), put('a', '+2')] })
        await apply({ from: 2, next: 3, puts: [put('b', 'B')], appends: [put('b', 'b')], deletes: ['gone'] })
        await apply({ from: 3, next: 4, appends: [put('gone', 'fresh')] })
        expect(await Promise.all(['a', 'new', 'b', 'gone'].map((key) => value(key)))).toEqual([
          'base+1+2',
          'n',
          'Bb',
          'fresh',
        ])
        const ends = { keys: ['a', 'never', 'b', 'a'], bytes: 3 }
        const read = await store.readForFold({
          scope,
          partition: 0,
          keys: ['b'],
          hashes: new BigUint64Array(0),
          generations: [],
          ends,
        })
        expect(read.ends.map(text)).toEqual(['1+2', null, 'Bb', '1+2'])
        expect(read.values.map(text)).toEqual(['Bb'])
      })

      test('an append that the fence refuses appends nothing, sent once or twice', async () => {
        await apply({ next: 5, puts: [put('k', 'v')] })
        const append = aCommit({ from: 5, next: 6, appends: [put('k', '!')] })
        for (const [from, next] of [
          [0, 5],
          [4, 6],
          [7, 9],
        ] as const)
          await store.commit({ ...append, from, next })
        expect(await value('k')).toBe('v')
        await Promise.all([store.commit(append), store.commit(append)])
        expect(await value('k')).toBe('v!')
      })

      test.each([
        ['SKIPPED when it had been applied', 10, 20],
        ['SKIPPED when more than it had been applied', 5, 15],
        ['PARTIAL when a part of it had been applied', 10, 25],
        ['ROLLBACK when the store is behind where it started', 21, 30],
      ])('%s; nothing changes', async (branch, from, next) => {
        const remember = (hash: bigint) => [{ generation: 1, hashes: new BigUint64Array([hash]), ttlMs: 60_000 }]
        await apply({ next: 20, puts: [put('k', 'first'), put('d', 'kept')], meta: bytes('m'), remember: remember(1n) })
        const late = aCommit({ from, next, puts: [put('k', 'late')], deletes: ['d'], remember: remember(2n) })
        expect(await store.commit(late)).toEqual({ kind: branch.split(' ')[0], stored: 20 })
        const hashes = new BigUint64Array([1n, 2n])
        const read = await store.readForFold({
          scope,
          partition: 0,
          keys: ['k', 'd'],
          hashes,
          generations: [1],
          ends: noEnds,
        })
        expect(read.values.map(text)).toEqual(['first', 'kept'])
        expect(read).toMatchObject({ position: 20, meta: bytes('m'), seen: new Uint8Array([1, 0]) })
      })

      test('ROLLBACK with position 0 if nothing is stored', async () => {
        expect(await store.commit(aCommit({ from: 3, next: 5 }))).toEqual({ kind: 'ROLLBACK', stored: 0 })
        expect(await store.positions(scope, [0])).toEqual([null])
      })

      test('a commit sent twice concurrently is applied once', async () => {
        const commit = aCommit({ next: 4, puts: [put('k', 'v')] })
        const kinds = (await Promise.all([store.commit(commit), store.commit(commit)])).map(({ kind }) => kind)
        expect(kinds.sort()).toEqual(['APPLIED', 'SKIPPED'])
      })

      test('a zombie that wakes with a batch from the past changes nothing', async () => {
        const zombie = fixture.another()
        const read = await zombie.read(scope, 0, ['count'])
        expect(read.position).toBeNull()
        await apply({ next: 100, puts: [put('count', '100')] })
        const outcomes = [
          await zombie.commit(aCommit({ from: 0, next: 50, puts: [put('count', '50')] })),
          await zombie.commit(aCommit({ from: 0, next: 150, puts: [put('count', '150')] })),
        ]
        expect(outcomes).toEqual([
          { kind: 'SKIPPED', stored: 100 },
          { kind: 'PARTIAL', stored: 100 },
        ])
        expect(await value('count')).toBe('100')
      })

      test('two writers that both believe they own a partition count every event once', async () => {
        const last = 300
        const writer = async (own: StateStore, batch: number) => {
          for (;;) {
            const { position, values } = await own.read(scope, 0, ['count'])
            const from = position ?? 0
            if (from >= last) return
            const next = Math.min(last, from + batch)
            const count = Number(text(values[0]) ?? '0') + (next - from)
            await own.commit(aCommit({ from, next, puts: [put('count', String(count))] }))
          }
        }
        await Promise.all([writer(store, 7), writer(fixture.another(), 5)])
        expect(await value('count')).toBe(String(last))
      })

      testUnder(
        'failover',
        'after a failover that lost the last commits a writer gets ROLLBACK, folds again and loses nothing',
        async () => {
          const remember = (hash: bigint) => [{ generation: 1, hashes: new BigUint64Array([hash]), ttlMs: 600_000 }]
          await apply({ next: 10, puts: [put('count', '10')], meta: bytes('ten'), remember: remember(1n) })
          await fixture.failover!(async () => {
            await apply({
              from: 10,
              next: 20,
              puts: [put('count', '20')],
              meta: bytes('twenty'),
              remember: remember(2n),
            })
            await apply({ from: 20, next: 30, puts: [put('count', '30')], remember: remember(3n) })
          })
          const commit = aCommit({ from: 30, next: 40, puts: [put('count', '40')] })
          const outcome = await eventually(() => store.commit(commit))
          expect(outcome).toEqual({ kind: 'ROLLBACK', stored: 10 })
          const hashes = new BigUint64Array([1n, 2n, 3n])
          const read = await store.readForFold({
            scope,
            partition: 0,
            keys: ['count'],
            hashes,
            generations: [1],
            ends: noEnds,
          })
          expect(read).toEqual({
            position: 10,
            meta: bytes('ten'),
            values: [bytes('10')],
            seen: new Uint8Array([1, 0, 0]),
            ends: [],
          })
          await apply({ from: 10, next: 40, puts: [put('count', '40')] })
        },
      )

      modelLaws(() => fixture)
    })

    describe('expiry', () => {
      test('an append renews the TTL of its value, and never revives an expired value', async () => {
        await apply({ next: 1, puts: [put('k', 'a', 300), put('over', 'x', 100)] })
        await fixture.pass(200)
        await apply({ from: 1, next: 2, appends: [put('k', 'b', 300), put('over', 'y', 60_000)] })
        expect(await value('over')).toBe('y')
        await fixture.pass(200)
        expect(await value('k')).toBe('ab')
        await fixture.pass(110)
        await eventually(async () => expect(await value('k')).toBeNull())
      })

      test('a value expires after its TTL without a write, others stay', async () => {
        await apply({
          puts: [put('gone', 'v', 200), put('again', 'v', 200), put('long', 'v', 600_000), put('ever', 'v')],
        })
        await apply({ from: 1, next: 2, puts: [put('again', 'w', 600_000)] })
        expect(await value('gone')).toBe('v')
        await fixture.pass(201)
        await eventually(async () => expect(await value('gone')).toBeNull())
        const keys = ['gone', 'again', 'long', 'ever']
        expect((await store.read(scope, 0, keys)).values.map(text)).toEqual([null, 'w', 'v', 'v'])
        expect((await collect(store.scan(scope, 0))).map(({ key }) => key).sort()).toEqual(['again', 'ever', 'long'])
      })

      test('a write without a TTL removes an earlier TTL', async () => {
        await apply({ puts: [put('k', 'v', 100)] })
        await apply({ from: 1, next: 2, puts: [put('k', 'w')] })
        await fixture.pass(150)
        expect(await value('k')).toBe('w')
      })

      test('positions and meta never expire', async () => {
        await apply({ puts: [put('k', 'v', 50)], meta: bytes('m') })
        await fixture.pass(60)
        await eventually(async () => expect(await value('k')).toBeNull())
        expect(await store.positions(scope, [0])).toEqual([1])
      })
    })

    describe('the dedupe memory', () => {
      const seen = async (hashes: readonly bigint[], generations: readonly number[], partition = 0) => {
        const query = { scope, partition, keys: [], hashes: BigUint64Array.from(hashes), generations, ends: noEnds }
        return [...(await store.readForFold(query)).seen]
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
        await fixture.pass(150)
        await apply({ from: 1, next: 2, remember: [remember(2, 3n, 600_000)] })
        await fixture.pass(101)
        await eventually(async () => expect(await seen([1n, 2n, 3n], [1, 2])).toEqual([0, 1, 1]))
      })
    })

    describe('short-lived values outside the fence', () => {
      const bound = { maxBytes: 10, ttlMs: 60_000 }

      test('copies given bytes: the caller can overwrite its buffer afterwards', async () => {
        const given = Buffer.from('before')
        const wide = { maxBytes: 20, ttlMs: 60_000 }
        const writes = [
          store.put(scope, 0, { key: 'put', value: given, ttlMs: null }),
          store.append(scope, 0, 'list', given, wide),
          store.commit(aCommit({ puts: [{ key: 'committed', value: given, ttlMs: null }], meta: given })),
        ]
        await Promise.all(writes)
        given.fill('x')
        expect(await Promise.all(['put', 'list', 'committed'].map((key) => value(key)))).toEqual(
          Array(3).fill('before'),
        )
        const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        expect(text((await store.readForFold(query)).meta)).toBe('before')
      })

      test('appends keep their order and the last bytes of the list', async () => {
        await store.append(scope, 0, 'list', bytes('abcd'), bound)
        await store.append(scope, 0, 'list', bytes('efgh'), bound)
        expect(await value('list')).toBe('abcdefgh')
        await store.append(scope, 0, 'list', bytes('ijkl'), bound)
        expect(await value('list')).toBe('cdefghijkl')
        await store.append(scope, 0, 'list', bytes('0123456789ABCDEF'), bound)
        expect(await value('list')).toBe('6789ABCDEF')
      })

      test('no append of several writers is lost', async () => {
        const wide = { maxBytes: 1 << 16, ttlMs: 60_000 }
        const other = fixture.another()
        const appends = Array.from({ length: 100 }, (_, i) =>
          (i % 2 === 0 ? store : other).append(scope, 0, 'list', Uint8Array.from([i]), wide),
        )
        await Promise.all(appends)
        const list = (await store.read(scope, 0, ['list'])).values[0]
        expect([...(list ?? [])].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
      })

      test('a list expires after its TTL without an append', async () => {
        await store.append(scope, 0, 'list', bytes('a'), { maxBytes: 10, ttlMs: 250 })
        await fixture.pass(150)
        await store.append(scope, 0, 'list', bytes('b'), { maxBytes: 10, ttlMs: 250 })
        await fixture.pass(150)
        expect(await value('list')).toBe('ab')
        await fixture.pass(110)
        await eventually(async () => expect(await value('list')).toBeNull())
        await store.append(scope, 0, 'list', bytes('c'), bound)
        expect(await value('list')).toBe('c')
      })

      test('a put value replaces the previous one and has its own TTL', async () => {
        await store.put(scope, 3, put('page', 'one', 60_000))
        await store.put(scope, 3, put('page', 'two', 200))
        expect(await value('page', 3)).toBe('two')
        expect(await store.positions(scope, [3])).toEqual([null])
        await fixture.pass(201)
        await eventually(async () => expect(await value('page', 3)).toBeNull())
      })
    })

    describe('pointers', () => {
      test('a pointer moves only from its expected value', async () => {
        expect(await store.pointer('serving')).toBeNull()
        expect(await store.movePointer('serving', 'user.1', 'user.2')).toBe(false)
        expect(await store.movePointer('serving', null, 'user.1')).toBe(true)
        expect(await store.movePointer('serving', null, 'user.9')).toBe(false)
        expect(await store.movePointer('serving', 'user.1', 'user.2')).toBe(true)
        expect(await store.pointer('serving')).toBe('user.2')
        expect(await store.pointer('other')).toBeNull()
        expect(await store.movePointer('empty', null, '')).toBe(true)
        expect(await store.movePointer('empty', null, 'x')).toBe(false)
        expect(await store.pointer('empty')).toBe('')
      })

      test('only one of ten concurrent moves succeeds', async () => {
        const other = fixture.another()
        const moves = Array.from({ length: 10 }, (_, i) =>
          (i % 2 === 0 ? store : other).movePointer('serving', null, `writer ${i}`),
        )
        const moved = (await Promise.all(moves)).flatMap((did, i) => (did ? [`writer ${i}`] : []))
        expect(moved).toHaveLength(1)
        expect(await store.pointer('serving')).toBe(moved[0])
      })
    })

    describe('scanning and dropping', () => {
      test('a scan returns every key of its partition once, and no other', async () => {
        const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`)
        await apply({ puts: keys.map((key) => put(key, `v ${key}`)), meta: bytes('m') })
        await apply({ partition: 1, puts: [put('other', 'v')] })
        await store.commit(aCommit({ scope: 'user.12', puts: [put('foreign', 'v')] }))
        const found = await collect(store.scan(scope, 0))
        expect(found.map(({ key }) => key).sort()).toEqual([...keys].sort())
        expect(found.every(({ key, value: stored }) => text(stored) === `v ${key}`)).toBe(true)
        expect(await collect(store.scan(scope, 2))).toEqual([])
      })

      test('a dropped scope leaves no trace; its neighbours stay', async () => {
        const remember = [{ generation: 1, hashes: BigUint64Array.from([1n]), ttlMs: 60_000 }]
        const scopes = ['user.1', 'user.2', 'user.11', 'user', 'pin.1']
        for (const each of scopes) {
          for (const partition of [0, 1, 11]) {
            const commit = aCommit({ scope: each, partition, puts: [put('k', 'v')], meta: bytes('m'), remember })
            expect((await store.commit(commit)).kind).toBe('APPLIED')
          }
        }
        await store.dropScope('user.1', [0, 1])
        const empty = { position: null, meta: null, values: [null], seen: new Uint8Array([0]), ends: [] }
        const full = { position: 1, meta: bytes('m'), values: [bytes('v')], seen: new Uint8Array([1]), ends: [] }
        const query = { keys: ['k'], hashes: BigUint64Array.from([1n]), generations: [1], ends: noEnds }
        for (const each of scopes) {
          for (const partition of [0, 1, 11]) {
            const dropped = each === 'user.1' && partition !== 11
            expect(await store.readForFold({ ...query, scope: each, partition })).toEqual(dropped ? empty : full)
          }
        }
        expect(await collect(store.scan('user.1', 0))).toEqual([])
        await apply({ puts: [put('k', 'new life')] })
      })
    })

    describe('when things go wrong', () => {
      test('an aborted signal rejects every call with its reason, and nothing changes', async () => {
        const reason = new Error('the caller has gone')
        const call = { signal: AbortSignal.abort(reason) }
        await apply({ puts: [put('k', 'v')] })
        await store.movePointer('p', null, 'before')
        const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        for (const work of [
          () => store.read(scope, 0, ['k'], call),
          () => store.readForFold(query, call),
          () => store.commit(aCommit({ from: 1, next: 2, puts: [put('k', 'w')] }), call),
          () => store.positions(scope, [0], call),
          () => collect(store.scan(scope, 0, call)),
          () => store.dropScope(scope, [0], call),
          () => store.pointer('p', call),
          () => store.movePointer('p', 'before', 'after', call),
          () => store.append(scope, 0, 'k', bytes('w'), { maxBytes: 9, ttlMs: 60_000 }, call),
          () => store.put(scope, 0, put('k', 'w'), call),
        ]) {
          await expect(work()).rejects.toBe(reason)
        }
        expect(await store.read(scope, 0, ['k'])).toMatchObject({ position: 1 })
        expect(await value('k')).toBe('v')
        expect(await store.pointer('p')).toBe('before')
      })

      test('a signal aborted during a call rejects it, unless the call has ended; the store keeps working', async () => {
        const reason = new Error('the caller has gone')
        const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        for (const work of [
          (call: StoreCall) => store.read(scope, 0, ['k'], call),
          (call: StoreCall) => store.readForFold(query, call),
          (call: StoreCall) => store.commit(aCommit({ partition: 7 }), call),
          (call: StoreCall) => store.positions(scope, [0], call),
          (call: StoreCall) => store.dropScope('user.9', [0], call),
          (call: StoreCall) => store.pointer('p', call),
          (call: StoreCall) => store.movePointer('p', null, 'v', call),
          (call: StoreCall) => store.append(scope, 3, 'k', bytes('w'), { maxBytes: 9, ttlMs: 60_000 }, call),
          (call: StoreCall) => store.put(scope, 3, put('k', 'w'), call),
        ]) {
          const stop = new AbortController()
          const ended = work({ signal: stop.signal }).then(
            () => reason,
            (error: unknown) => error,
          )
          stop.abort(reason)
          expect(await ended).toBe(reason)
        }
        await apply({ puts: [put('k', 'v')] })
        expect(await value('k')).toBe('v')
      })

      test('a scan whose signal is aborted between two pages returns no further page', async () => {
        const reason = new Error('the caller has gone')
        await apply({ puts: Array.from({ length: 1_200 }, (_, i) => put(`k${i}`, 'v')) })
        const stop = new AbortController()
        let pages = 0
        const scanning = (async () => {
          for await (const page of store.scan(scope, 0, { signal: stop.signal })) {
            expect(page.length).toBeGreaterThan(0)
            if (++pages === 1) stop.abort(reason)
          }
        })()
        await expect(scanning).rejects.toBe(reason)
        expect(pages).toBe(1)
      })

      test('a closed store answers STORE_CLOSED; closing it again is harmless', async () => {
        const other = fixture.another()
        await other.read(scope, 0, ['k'])
        await other.close()
        await other.close()
        const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
        for (const call of [
          () => other.read(scope, 0, ['k']),
          () => other.readForFold(query),
          () => other.commit(aCommit({})),
          () => other.positions(scope, [0]),
          () => collect(other.scan(scope, 0)),
          () => other.dropScope(scope, [0]),
          () => other.pointer('p'),
          () => other.movePointer('p', null, 'v'),
          () => other.append(scope, 0, 'k', bytes('v'), { maxBytes: 1, ttlMs: 1 }),
          () => other.put(scope, 0, put('k', 'v')),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
        }
        await apply({ puts: [put('k', 'the others go on')] })
      })

      test('a pending commit settles when the store closes', async () => {
        const other = fixture.another()
        const commit = other.commit(aCommit({ puts: [put('k', 'v')] }))
        const closing = other.close()
        const outcome = await commit.catch((error: unknown) => {
          expect(isContractError(error)).toBe(true)
          return null
        })
        await closing
        expect(await value('k')).toBe(outcome?.kind === 'APPLIED' ? 'v' : null)
      })

      testUnder('flushScripts', 'scripts that the server has forgotten are sent again', async () => {
        await apply({ puts: [put('k', '1')] })
        await fixture.flushScripts!()
        await apply({ from: 1, next: 2, puts: [put('k', '2')] })
        await fixture.flushScripts!()
        const query = {
          scope,
          partition: 0,
          keys: ['k'],
          hashes: BigUint64Array.from([1n]),
          generations: [1],
          ends: noEnds,
        }
        expect((await store.readForFold(query)).values.map(text)).toEqual(['2'])
        await fixture.flushScripts!()
        await Promise.all([
          store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
          store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
          store.movePointer('p', null, 'v'),
        ])
        expect(await value('list')).toBe('aa')
      })

      testUnder(
        'outage',
        'while the server says nothing calls end in time with STORE_UNAVAILABLE; then all goes on',
        async () => {
          await apply({ puts: [put('k', 'v')] })
          const end = await fixture.outage!()
          const began = performance.now()
          for (const call of [
            () => store.read(scope, 0, ['k']),
            () => store.commit(aCommit({ from: 1, next: 2, puts: [put('k', 'w')] })),
            () => store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
            () => store.pointer('p'),
          ]) {
            const start = performance.now()
            await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
            expect(performance.now() - start).toBeLessThan(fixture.outageBoundMs ?? 0)
          }
          const many = Array.from({ length: 200 }, () => store.read(scope, 0, ['k']).catch((error: unknown) => error))
          expect((await Promise.all(many)).every((each) => isContractError(each, 'STORE_UNAVAILABLE'))).toBe(true)
          expect(performance.now() - began).toBeLessThan(6 * (fixture.outageBoundMs ?? 0))
          await end()
          const again = aCommit({ from: 1, next: 2, puts: [put('k', 'w')] })
          const outcome = await eventually(() => store.commit(again))
          expect(['APPLIED', 'SKIPPED']).toContain(outcome.kind)
          expect(await value('k')).toBe('w')
        },
      )
    })
  })
}

function put(key: string, value: string, ttlMs: number | null = null) {
  return { key, value: bytes(value), ttlMs }
}
