import { describe, expect, test } from 'vitest'
import { aCommit, bytes, noEnds, text } from '../suites/state-store.builders.ts'
import { stateStoreContract } from '../suites/state-store.suite.ts'
import type { StateStoreFixture } from '../suites/state-store.world.ts'
import { createVirtualClock } from './clock.ts'
import { createMemoryStateStore } from './state-store.ts'

stateStoreContract('memory', memoryFixture, { failover: 'present' })

async function memoryFixture(): Promise<StateStoreFixture> {
  const clock = createVirtualClock(1_700_000_000_000)
  const store = createMemoryStateStore({ clock, maxUndo: 100 })
  return {
    store,
    another: () => store.another(),
    pass: (ms) => clock.advance(ms),
    async failover(doomed) {
      const before = store.writes()
      await doomed()
      store.rollBackTo(before)
    },
    close: () => store.close(),
  }
}

describe('undoing writes', () => {
  const put = (value: string) => [{ key: 'k', value: bytes(value), ttlMs: null }]

  test('undoes any number of the last writes', async () => {
    const store = createMemoryStateStore({ clock: createVirtualClock(), maxUndo: 50 })
    for (let at = 0; at < 20; at++) {
      const remember = [{ generation: 1, hashes: BigUint64Array.from([BigInt(at)]), ttlMs: 1000 }]
      await store.commit(
        aCommit({ from: at, next: at + 1, puts: put(String(at + 1)), meta: bytes(`m${at + 1}`), remember }),
      )
    }
    const hashes = BigUint64Array.from({ length: 20 }, (_, i) => BigInt(i))
    for (const writes of [20, 17, 3, 0]) {
      store.rollBackTo(writes)
      const read = await store.readForFold({
        scope: 'user.1',
        partition: 0,
        keys: ['k'],
        hashes,
        generations: [1],
        ends: noEnds,
      })
      expect(read.position).toBe(writes === 0 ? null : writes)
      expect(text(read.values[0])).toBe(writes === 0 ? null : String(writes))
      expect(text(read.meta)).toBe(writes === 0 ? null : `m${writes}`)
      expect([...read.seen]).toEqual(Array.from({ length: 20 }, (_, i) => (i < writes ? 1 : 0)))
    }
  })

  test('undoes puts, appends and pointers together with the commits around them', async () => {
    const store = createMemoryStateStore({ clock: createVirtualClock(), maxUndo: 50 })
    const bound = { maxBytes: 10, ttlMs: 1000 }
    await store.append('user.1', 0, 'list', bytes('a'), bound)
    await store.movePointer('p', null, 'one')
    const before = store.writes()
    await store.append('user.1', 0, 'list', bytes('b'), bound)
    await store.put('user.1', 0, { key: 'k', value: bytes('v'), ttlMs: null })
    await store.movePointer('p', 'one', 'two')
    store.rollBackTo(before)
    const { values } = await store.read('user.1', 0, ['list', 'k'])
    expect(values.map(text)).toEqual(['a', null])
    expect(await store.pointer('p')).toBe('one')
  })

  test('cannot undo writes that are no longer kept', async () => {
    const store = createMemoryStateStore({ clock: createVirtualClock(), maxUndo: 3 })
    for (let at = 0; at < 30; at++) await store.commit(aCommit({ from: at, next: at + 1 }))
    expect(() => store.rollBackTo(10)).toThrow(RangeError)
    expect(() => store.rollBackTo(31)).toThrow(RangeError)
    store.rollBackTo(27)
    expect(await store.positions('user.1', [0])).toEqual([27])
  })
})
