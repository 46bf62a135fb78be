import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** One adapter's store, empty. */
export interface ArtefactStoreFixture {
  readonly store: ArtefactStore
  /** A second client of the same artefacts. */
  another(): ArtefactStore
  close(): Promise<void>
}

/** The contract of every artefact store; each test calls `makeFixture`. */
export function artefactStoreContract(name: string, makeFixture: () => Promise<ArtefactStoreFixture>): void {
  describe(`${name}: a store of artefacts`, () => {
    let fixture: ArtefactStoreFixture
    let store: ArtefactStore
    beforeEach(async () => {
      fixture = await makeFixture()
      store = fixture.store
    })
    afterEach(() => fixture.close())
    const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)

    test('every client reads a put artefact until it is replaced', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      await store.put('models/ranker-1.bin', all)
      expect(await fixture.another().get('models/ranker-1.bin')).toEqual(all)
      await store.put('models/ranker-1.bin', filled(3, 7))
      expect(await store.get('models/ranker-1.bin')).toEqual(filled(3, 7))
      await store.put('empty', new Uint8Array(0))
      expect(await store.get('empty')).toEqual(new Uint8Array(0))
    })

    test('an unknown name, or a part of a name, is ARTEFACT_MISSING', async () => {
      await store.put('a/b/c', filled(1, 1))
      for (const missing of ['x', 'a', 'a/b', 'a/b/c/d', 'a/b/x']) {
        await expect(store.get(missing)).rejects.toMatchObject({ code: 'ARTEFACT_MISSING' })
      }
    })

    test('names are listed sorted, by any prefix', async () => {
      expect(await store.list('')).toEqual([])
      const names = ['models/b', 'models/a/2', 'models/a/10', 'model', 'snapshots/x.y_z-1']
      for (const each of names) await store.put(each, filled(1, 1))
      expect(await store.list('')).toEqual([...names].sort())
      expect(await store.list('models/')).toEqual(['models/a/10', 'models/a/2', 'models/b'])
      expect(await store.list('model')).toEqual(['model', 'models/a/10', 'models/a/2', 'models/b'])
      expect(await store.list('nothing')).toEqual([])
      expect(await store.list('../')).toEqual([])
    })

    test('a removed artefact is gone; removing it again is harmless', async () => {
      await store.put('a/b', filled(1, 1))
      await store.put('a/c', filled(1, 2))
      await store.remove('a/b')
      await store.remove('a/b')
      await store.remove('never/was')
      await expect(store.get('a/b')).rejects.toMatchObject({ code: 'ARTEFACT_MISSING' })
      expect(await store.list('')).toEqual(['a/c'])
    })

    test.each([
      '',
      '.',
      '..',
      '../x',
      'a/../../x',
      '/etc/passwd',
      'a//b',
      'a/',
      '.hidden',
      'a/.b',
      'A',
      'ü',
      'a b',
      'a\\b',
      'a\0b',
      'a\nb',
      'x~',
      'c:d',
      'a'.repeat(201),
      `${'a/'.repeat(300)}a`,
    ])('%j is ARTEFACT_NAME for put, get and remove', async (bad) => {
      await expect(store.put(bad, filled(1, 1))).rejects.toMatchObject({ code: 'ARTEFACT_NAME' })
      await expect(store.get(bad)).rejects.toMatchObject({ code: 'ARTEFACT_NAME' })
      await expect(store.remove(bad)).rejects.toMatchObject({ code: 'ARTEFACT_NAME' })
      expect(await store.list('')).toEqual([])
    })

    test('a reader during a replacement gets all of the old bytes or all of the new ones', async () => {
      const length = 1 << 20
      await store.put('model', filled(length, 0))
      let writing = true
      const torn: string[] = []
      const reader = async () => {
        while (writing) {
          const bytes = Buffer.from(await store.get('model'))
          if (bytes.length !== length || !bytes.equals(Buffer.alloc(length, bytes[0]))) torn.push(`${bytes.length}`)
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const readers = [reader(), reader()]
      for (let i = 1; i <= 10; i++) await store.put('model', filled(length, i))
      writing = false
      await Promise.all(readers)
      expect(torn).toEqual([])
    })

    test('after concurrent writes one artefact remains, complete, without leftovers', async () => {
      const puts = Array.from({ length: 8 }, (_, i) => store.put('model', filled(100_000, i)))
      await Promise.all(puts)
      const bytes = Buffer.from(await store.get('model'))
      expect(bytes.equals(Buffer.alloc(100_000, bytes[0]))).toBe(true)
      expect(await store.list('')).toEqual(['model'])
    })

    test('an aborted signal rejects every call with its reason, and nothing changes', async () => {
      const reason = new Error('the caller has gone')
      const call = { signal: AbortSignal.abort(reason) }
      await store.put('model', filled(3, 1))
      for (const work of [
        () => store.put('model', filled(3, 2), call),
        () => store.get('model', call),
        () => store.list('', call),
        () => store.remove('model', call),
      ]) {
        await expect(work()).rejects.toBe(reason)
      }
      expect(await store.get('model')).toEqual(filled(3, 1))
    })

    test('a signal aborted during a call rejects it immediately; a put then leaves the old bytes or the new ones', async () => {
      const reason = new Error('the caller has gone')
      await store.put('model', filled(1 << 20, 1))
      for (const work of [
        (call: PortCall) => store.put('model', filled(1 << 20, 2), call),
        (call: PortCall) => store.get('model', call),
        (call: PortCall) => store.list('', call),
        (call: PortCall) => store.remove('never/was', call),
      ]) {
        const stop = new AbortController()
        const ended = work({ signal: stop.signal })
        stop.abort(reason)
        await expect(ended).rejects.toBe(reason)
      }
      await expect.poll(async () => Buffer.from(await store.get('model')).equals(Buffer.alloc(1 << 20, 1))).toBe(true)
      await store.put('model', filled(3, 3))
      expect(await store.list('')).toEqual(['model'])
    })
  })
}
