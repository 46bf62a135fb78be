import { isContractError } from '@freshet/contracts/errors'
import type { StoreCall } from '@freshet/contracts/ports/state-store'
import { describe, expect, test } from 'vitest'
import { aCommit, bytes, collect, eventually, noEnds, put, text } from './state-store.builders.ts'
import { scope } from './state-store.world.ts'
import type { StateStoreWorld } from './state-store.world.ts'

/** What every state store promises when a call is aborted, the store closes or its server fails. */
export function storeFaultsContract(world: StateStoreWorld): void {
  const { apply, value, testUnder } = world
  describe('when things go wrong', () => {
    test('an aborted signal rejects every call with its reason, and nothing changes', async () => {
      const reason = new Error('the caller has gone')
      const call = { signal: AbortSignal.abort(reason) }
      await apply({ puts: [put('k', 'v')] })
      await world.store.movePointer('p', null, 'before')
      const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      for (const work of [
        () => world.store.read(scope, 0, ['k'], call),
        () => world.store.readForFold(query, call),
        () => world.store.commit(aCommit({ from: 1, next: 2, puts: [put('k', 'w')] }), call),
        () => world.store.positions(scope, [0], call),
        () => collect(world.store.scan(scope, 0, call)),
        () => world.store.dropScope(scope, [0], call),
        () => world.store.pointer('p', call),
        () => world.store.movePointer('p', 'before', 'after', call),
        () => world.store.append(scope, 0, 'k', bytes('w'), { maxBytes: 9, ttlMs: 60_000 }, call),
        () => world.store.put(scope, 0, put('k', 'w'), call),
      ]) {
        await expect(work()).rejects.toBe(reason)
      }
      expect(await world.store.read(scope, 0, ['k'])).toMatchObject({ position: 1 })
      expect(await value('k')).toBe('v')
      expect(await world.store.pointer('p')).toBe('before')
    })

    test('a signal aborted during a call rejects it, unless the call has ended; the store keeps working', async () => {
      const reason = new Error('the caller has gone')
      const query = { scope, partition: 0, keys: [], hashes: new BigUint64Array(0), generations: [], ends: noEnds }
      for (const work of [
        (call: StoreCall) => world.store.read(scope, 0, ['k'], call),
        (call: StoreCall) => world.store.readForFold(query, call),
        (call: StoreCall) => world.store.commit(aCommit({ partition: 7 }), call),
        (call: StoreCall) => world.store.positions(scope, [0], call),
        (call: StoreCall) => world.store.dropScope('user.9', [0], call),
        (call: StoreCall) => world.store.pointer('p', call),
        (call: StoreCall) => world.store.movePointer('p', null, 'v', call),
        (call: StoreCall) => world.store.append(scope, 3, 'k', bytes('w'), { maxBytes: 9, ttlMs: 60_000 }, call),
        (call: StoreCall) => world.store.put(scope, 3, put('k', 'w'), call),
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
        for await (const page of world.store.scan(scope, 0, { signal: stop.signal })) {
          expect(page.length).toBeGreaterThan(0)
          if (++pages === 1) stop.abort(reason)
        }
      })()
      await expect(scanning).rejects.toBe(reason)
      expect(pages).toBe(1)
    })

    test('a closed store answers STORE_CLOSED; closing it again is harmless', async () => {
      const other = world.fixture.another()
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
      const other = world.fixture.another()
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
      await world.fixture.flushScripts!()
      await apply({ from: 1, next: 2, puts: [put('k', '2')] })
      await world.fixture.flushScripts!()
      const query = {
        scope,
        partition: 0,
        keys: ['k'],
        hashes: BigUint64Array.from([1n]),
        generations: [1],
        ends: noEnds,
      }
      expect((await world.store.readForFold(query)).values.map(text)).toEqual(['2'])
      await world.fixture.flushScripts!()
      await Promise.all([
        world.store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
        world.store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
        world.store.movePointer('p', null, 'v'),
      ])
      expect(await value('list')).toBe('aa')
    })

    testUnder(
      'outage',
      'while the server says nothing calls end in time with STORE_UNAVAILABLE; then all goes on',
      async () => {
        await apply({ puts: [put('k', 'v')] })
        const end = await world.fixture.outage!()
        const began = performance.now()
        for (const call of [
          () => world.store.read(scope, 0, ['k']),
          () => world.store.commit(aCommit({ from: 1, next: 2, puts: [put('k', 'w')] })),
          () => world.store.append(scope, 0, 'list', bytes('a'), { maxBytes: 9, ttlMs: 60_000 }),
          () => world.store.pointer('p'),
        ]) {
          const start = performance.now()
          await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
          expect(performance.now() - start).toBeLessThan(world.fixture.outageBoundMs ?? 0)
        }
        const many = Array.from({ length: 200 }, () =>
          world.store.read(scope, 0, ['k']).catch((error: unknown) => error),
        )
        expect((await Promise.all(many)).every((each) => isContractError(each, 'STORE_UNAVAILABLE'))).toBe(true)
        expect(performance.now() - began).toBeLessThan(6 * (world.fixture.outageBoundMs ?? 0))
        await end()
        const again = aCommit({ from: 1, next: 2, puts: [put('k', 'w')] })
        const outcome = await eventually(() => world.store.commit(again))
        expect(['APPLIED', 'SKIPPED']).toContain(outcome.kind)
        expect(await value('k')).toBe('w')
      },
    )
  })
}
