import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startMs } from './fake.fixture.ts'
import { createIndexedStore } from './indexed-store.ts'

/** As much of IndexedDB as the store uses; transactions run one after another. */
function anIndexedDb() {
  const data = new Map<number | string, { readonly key: number | string }>()
  const request = (run: () => unknown) => {
    const made: { result?: unknown; onsuccess?: () => void; run: () => void } = {
      run() {
        made.result = run()
        made.onsuccess?.()
      },
    }
    return made
  }
  const objectsOf = (requests: ReturnType<typeof request>[]) => {
    const later = (run: () => unknown) => {
      const made = request(run)
      requests.push(made)
      return made
    }
    return {
      put: (value: { key?: number | string }) =>
        later(() => {
          const key = value.key ?? data.size + 1
          data.set(key, { ...value, key })
        }),
      delete: (key: number | string) => later(() => void data.delete(key)),
      get: (key: string) => later(() => data.get(key)),
    }
  }
  const finish = (requests: ReturnType<typeof request>[]) => {
    for (let made = requests.shift(); made; made = requests.shift()) made.run()
  }
  const database = {
    close: () => undefined,
    transaction() {
      const requests: ReturnType<typeof request>[] = []
      const transaction = { objectStore: () => objectsOf(requests), oncomplete: null as (() => void) | null }
      setImmediate(() => {
        finish(requests)
        transaction.oncomplete?.()
      })
      return transaction
    },
  }
  return {
    open() {
      const opening: { result?: unknown; onsuccess?: () => void } = { result: database }
      setImmediate(() => {
        opening.onsuccess?.()
      })
      return opening
    },
  }
}

let now = startMs
let indexedDB: ReturnType<typeof anIndexedDb>
const aTab = (id: string) =>
  createIndexedStore('q', {
    now: () => now,
    after: (ms, run) => {
      now += ms
      setImmediate(run)
      return () => undefined
    },
    me: id,
    leaseMs: 10_000,
  })

beforeEach(() => {
  now = startMs
  indexedDB = anIndexedDb()
  vi.stubGlobal('indexedDB', indexedDB)
  vi.stubGlobal('IDBKeyRange', { upperBound: (key: number) => key })
  vi.stubGlobal('navigator', {})
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('tabs without Web Locks', () => {
  it('do not take the queue from one that goes on with it', async () => {
    const steps: string[] = []
    await aTab('a').exclusive(async (isStillMine) => {
      for (let i = 0; i < 4; i++) {
        now += 9_000
        expect(await isStillMine!()).toBe(true)
      }
      // It waits, and each look moves the clock.
      const other = aTab('b').exclusive(async () => void steps.push('b'))
      for (let i = 0; i < 10; i++) await new Promise((done) => setImmediate(done))
      steps.push('a')
      void other
    })
    await vi.waitFor(() => expect(steps).toEqual(['a', 'b']))
  })

  it('notice that another one took over, and leave its lease alone', async () => {
    const [a, b, c] = [aTab('a'), aTab('b'), aTab('c')]
    let isInside = false
    let leave!: () => void
    let second!: Promise<void>
    await a.exclusive(async (isStillMine) => {
      now += 30_000
      await new Promise<void>((entered) => {
        second = b.exclusive(async () => {
          isInside = true
          entered()
          await new Promise<void>((done) => (leave = done))
          isInside = false
        })
      })
      expect(await isStillMine!()).toBe(false)
    })
    const third = c.exclusive(async () => isInside)
    leave()
    await second
    expect(await third).toBe(false)
  })
})
