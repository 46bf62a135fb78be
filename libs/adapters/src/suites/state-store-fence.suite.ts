import type { StateStore } from '@freshet/contracts/ports/state-store'
import { describe, expect, test } from 'vitest'
import { aCommit, bytes, eventually, noEnds, put, text } from './state-store.builders.ts'
import { modelLaws } from './state-store.model.ts'
import { scope } from './state-store.world.ts'
import type { StateStoreWorld } from './state-store.world.ts'

/** What every state store promises of commits: the fence. */
export function storeFenceContract(world: StateStoreWorld): void {
  const { apply, value, testUnder } = world
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
      const read = await world.store.readForFold(query)
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
      const read = await world.store.readForFold({
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
        await world.store.commit({ ...append, from, next })
      expect(await value('k')).toBe('v')
      await Promise.all([world.store.commit(append), world.store.commit(append)])
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
      expect(await world.store.commit(late)).toEqual({ kind: branch.split(' ')[0], stored: 20 })
      const hashes = new BigUint64Array([1n, 2n])
      const read = await world.store.readForFold({
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
      expect(await world.store.commit(aCommit({ from: 3, next: 5 }))).toEqual({ kind: 'ROLLBACK', stored: 0 })
      expect(await world.store.positions(scope, [0])).toEqual([null])
    })

    test('a commit sent twice concurrently is applied once', async () => {
      const commit = aCommit({ next: 4, puts: [put('k', 'v')] })
      const kinds = (await Promise.all([world.store.commit(commit), world.store.commit(commit)])).map(
        ({ kind }) => kind,
      )
      expect(kinds.sort()).toEqual(['APPLIED', 'SKIPPED'])
    })

    test('a zombie that wakes with a batch from the past changes nothing', async () => {
      const zombie = world.fixture.another()
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
      await Promise.all([writer(world.store, 7), writer(world.fixture.another(), 5)])
      expect(await value('count')).toBe(String(last))
    })

    testUnder(
      'failover',
      'after a failover that lost the last commits a writer gets ROLLBACK, folds again and loses nothing',
      async () => {
        const remember = (hash: bigint) => [{ generation: 1, hashes: new BigUint64Array([hash]), ttlMs: 600_000 }]
        await apply({ next: 10, puts: [put('count', '10')], meta: bytes('ten'), remember: remember(1n) })
        await world.fixture.failover!(async () => {
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
        const outcome = await eventually(() => world.store.commit(commit))
        expect(outcome).toEqual({ kind: 'ROLLBACK', stored: 10 })
        const hashes = new BigUint64Array([1n, 2n, 3n])
        const read = await world.store.readForFold({
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

    modelLaws(() => world.fixture)
  })
}
