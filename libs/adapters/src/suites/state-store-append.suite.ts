import { describe, expect, test } from 'vitest'
import { bytes, eventually, put } from './state-store.builders.ts'
import { scope } from './state-store.world.ts'
import type { StateStoreWorld } from './state-store.world.ts'

/** What every state store promises of conditional appends. */
export function storeAppendContract(world: StateStoreWorld): void {
  const { value } = world
  describe('an append if the value is still the one that was read', () => {
    const bound = { maxBytes: 10, ttlMs: 60_000 }
    const appendIf = (text: string, read: string | null, within = bound, store = world.store) =>
      store.appendIf(scope, 0, 'list', bytes(text), { ...within, read: read === null ? null : bytes(read) })
    const appended = { kind: 'APPENDED' }
    const changedTo = (now: string | null) => ({ kind: 'CHANGED', value: now === null ? null : bytes(now) })

    test('appends to what was read, else changes nothing and answers the value', async () => {
      expect(await appendIf('ab', 'x')).toEqual(changedTo(null))
      expect(await value('list')).toBeNull()
      expect(await appendIf('ab', null)).toEqual(appended)
      for (const read of [null, '', 'a', 'ac', 'abc', 'b']) expect(await appendIf('cd', read)).toEqual(changedTo('ab'))
      expect(await appendIf('cd', 'ab')).toEqual(appended)
      expect(await value('list')).toBe('abcd')
      await world.store.put(scope, 0, put('list', ''))
      expect(await appendIf('ef', null)).toEqual(appended)
      expect(await value('list')).toBe('ef')
    })

    test('keeps the last bytes, and sees that a full list has changed', async () => {
      expect(await appendIf('0123456789', null)).toEqual(appended)
      expect(await appendIf('abcd', '0123456789')).toEqual(appended)
      expect(await appendIf('xyz', '0123456789')).toEqual(changedTo('456789abcd'))
      expect(await appendIf('0123456789ABCDEF', '456789abcd')).toEqual(appended)
      expect(await value('list')).toBe('6789ABCDEF')
      const wide = { maxBytes: 1_000, ttlMs: 60_000 }
      const long = '-'.repeat(900)
      await world.store.put(scope, 0, put('list', long))
      expect(await appendIf('end', long, wide)).toEqual(appended)
      expect((await appendIf('end', long, wide)).kind).toBe('CHANGED')
    })

    test('an expired list is none, and each append renews the TTL', async () => {
      const short = { maxBytes: 10, ttlMs: 250 }
      expect(await appendIf('a', null, short)).toEqual(appended)
      await world.fixture.pass(150)
      expect(await appendIf('b', 'a', short)).toEqual(appended)
      await world.fixture.pass(150)
      expect(await appendIf('c', 'a', short)).toEqual(changedTo('ab'))
      await world.fixture.pass(110)
      await eventually(async () => expect(await value('list')).toBeNull())
      expect(await appendIf('c', 'ab', short)).toEqual(changedTo(null))
    })

    test('of writers that read the same value exactly one appends; those that try again lose nothing', async () => {
      const wide = { maxBytes: 1 << 16, ttlMs: 60_000 }
      const stores = [world.store, world.fixture.another()]
      let conflicts = 0
      const writer = async (i: number): Promise<void> => {
        let read: Uint8Array | null = null
        for (;;) {
          const given = { ...wide, read }
          const outcome = await stores[i % 2]!.appendIf(scope, 0, 'list', Uint8Array.from([i]), given)
          if (outcome.kind === 'APPENDED') return
          conflicts++
          read = outcome.value
        }
      }
      await Promise.all(Array.from({ length: 20 }, (_, i) => writer(i)))
      const list = (await world.store.read(scope, 0, ['list'])).values[0]
      expect([...(list ?? [])].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
      expect(conflicts).toBeGreaterThanOrEqual(19)
    })

    test('copies given bytes, and answers bytes of its own', async () => {
      const [given, read] = [Buffer.from('after'), Buffer.from('be')]
      await world.store.put(scope, 0, put('list', 'be'))
      const append = world.store.appendIf(scope, 0, 'list', given, { ...bound, read })
      given.fill('x')
      read.fill('x')
      expect(await append).toEqual(appended)
      const outcome = await appendIf('z', null)
      if (outcome.kind === 'CHANGED') outcome.value?.fill(0)
      expect(await value('list')).toBe('beafter')
    })

    test('a value above the limit is STORE_VALUE_TOO_LARGE', async () => {
      const large = new Uint8Array((8 << 20) + 1)
      const append = world.store.appendIf(scope, 0, 'list', large, { ...bound, read: null })
      await expect(append).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
    })
  })
}
