import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { createVirtualClock } from '../memory/clock.ts'
import { aCommit, bytes, noEnds, text } from '../suites/state-store.builders.ts'
import { stateStoreContract } from '../suites/state-store.suite.ts'
import { openEnvironment } from './environment.ts'
import { createLmdbStateStore } from './state-store.ts'

stateStoreContract('LMDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-state-'))
  const clock = createVirtualClock(1_700_000_000_000)
  const environment = await openEnvironment({ folder, fsync: false })
  const open = () => createLmdbStateStore({ environment, clock })
  const store = open()
  return {
    store,
    another: open,
    pass: (ms) => clock.advance(ms),
    async close() {
      await store.close()
      await environment.close()
      await rm(folder, { recursive: true })
    },
  }
})

describe('LMDB', () => {
  const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-state-'))
    try {
      await work(folder)
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const remember = (generation: number, first: number, count: number, ttlMs: number) => [
    { generation, hashes: BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i)), ttlMs },
  ]

  test('commits survive reopening the folder', () =>
    inFolder(async (folder) => {
      const clock = createVirtualClock(1_000)
      const first = await openEnvironment({ folder })
      const before = createLmdbStateStore({ environment: first, clock })
      const puts = [{ key: 'k', value: bytes('v'), ttlMs: 500 }]
      await before.commit(aCommit({ next: 5, puts, meta: bytes('m'), remember: remember(1, 1, 1, 500) }))
      await before.movePointer('p', null, 'x')
      await before.close()
      await first.close()
      const second = await openEnvironment({ folder })
      const after = createLmdbStateStore({ environment: second, clock })
      const hashes = BigUint64Array.from([1n, 2n])
      const query = { scope: 'user.1', partition: 0, keys: ['k'], hashes, generations: [1], ends: noEnds }
      const read = await after.readForFold(query)
      expect(read).toEqual({
        position: 5,
        meta: bytes('m'),
        values: [bytes('v')],
        seen: new Uint8Array([1, 0]),
        ends: [],
      })
      expect(await after.pointer('p')).toBe('x')
      await clock.advance(500)
      expect(await after.readForFold(query)).toMatchObject({ values: [null], seen: new Uint8Array([0, 0]), ends: [] })
      await second.close()
    }))

  test('a put that lingers shares the transaction of the next write, in its order, and is written when the store is closed', () =>
    inFolder(async (folder) => {
      const clock = createVirtualClock(1_000)
      const environment = await openEnvironment({ folder, fsync: false })
      const store = createLmdbStateStore({ environment, clock })
      let isWritten = false
      const lingerMs = 600_000
      const timers = vi.spyOn(globalThis, 'setTimeout')
      const lingered = (): number => timers.mock.calls.filter(([, ms]) => ms === lingerMs).length
      const value = (key: string, text: string) => ({ key, value: bytes(text), ttlMs: null })
      const late = store.put('page', 0, value('k', 'lingered'), { lingerMs }).then(() => (isWritten = true))
      expect([isWritten, lingered()]).toEqual([false, 1])
      await store.put('page', 0, value('k', 'later'))
      await late
      expect(isWritten).toBe(true)
      expect(text((await store.read('page', 0, ['k'])).values[0])).toBe('later')
      isWritten = false
      const urgent = store.put('page', 0, value('k', 'last'))
      // Its transaction has begun.
      for (let turn = 0; turn < 3; turn++) await Promise.resolve()
      const meanwhile = store.put('page', 0, value('k', 'meanwhile'), { lingerMs }).then(() => (isWritten = true))
      await urgent
      expect([isWritten, lingered()]).toEqual([false, 2])
      expect(text((await store.read('page', 0, ['k'])).values[0])).toBe('meanwhile')
      await meanwhile
      isWritten = false
      const unread = store.put('page', 0, value('k', 'unread'), { lingerMs }).then(() => (isWritten = true))
      const fold = { partition: 0, keys: ['k'], generations: [], hashes: new BigUint64Array(0), ends: noEnds }
      expect((await store.readForFold({ scope: 'user', ...fold })).values).toEqual([null])
      expect(isWritten).toBe(false)
      expect(text((await store.readForFold({ scope: 'page', ...fold })).values[0])).toBe('unread')
      await unread
      const last = store.put('page', 0, value('end', 'v'), { lingerMs })
      await store.close()
      await last
      timers.mockRestore()
      await environment.close()
      const again = await openEnvironment({ folder, fsync: false })
      const reopened = createLmdbStateStore({ environment: again, clock })
      expect(text((await reopened.read('page', 0, ['end'])).values[0])).toBe('v')
      await again.close()
    }))

  test('later writes remove expired entries', () =>
    inFolder(async (folder) => {
      const clock = createVirtualClock(1_000)
      const environment = await openEnvironment({ folder, fsync: false })
      const store = createLmdbStateStore({ environment, clock })
      const puts = Array.from({ length: 3000 }, (_, i) => ({ key: `k${i}`, value: bytes('v'), ttlMs: 1000 }))
      await store.commit(aCommit({ puts, remember: remember(1, 0, 3000, 1000) }))
      await store.commit(aCommit({ partition: 1, puts: [{ key: 'stays', value: bytes('v'), ttlMs: null }] }))
      await clock.advance(1001)
      for (let at = 1; at < 60; at++) {
        const puts = Array.from({ length: 200 }, (_, i) => ({ key: `n${i}`, value: bytes('v'), ttlMs: 1000 }))
        await store.commit(aCommit({ from: at, next: at + 1, puts }))
      }
      // 200 values, one that stays, two positions.
      expect(environment.database('state').getKeysCount({})).toBe(203)
      expect(environment.database('state-ids').getKeysCount({})).toBe(0)
      expect(text((await store.read('user.1', 1, ['stays'])).values[0])).toBe('v')
      await environment.close()
    }))

  test('adding to an expired generation does not restore its old ids', () =>
    inFolder(async (folder) => {
      const clock = createVirtualClock(1_000)
      const environment = await openEnvironment({ folder, fsync: false })
      const store = createLmdbStateStore({ environment, clock })
      await store.commit(aCommit({ remember: remember(1, 0, 2000, 100) }))
      await clock.advance(100)
      await store.commit(aCommit({ from: 1, next: 2, remember: remember(1, 5000, 1, 100) }))
      const hashes = BigUint64Array.from([0n, 1999n, 5000n])
      const query = { scope: 'user.1', partition: 0, keys: [], hashes, generations: [1], ends: noEnds }
      expect((await store.readForFold(query)).seen).toEqual(new Uint8Array([0, 0, 1]))
      await environment.close()
    }))
})
