import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startMs } from './fake.fixture.ts'
import { createIndexedStore } from './indexed-store.ts'
import type { Entry } from './store.ts'

/** As much of IndexedDB as the store uses; transactions run one after another. */
function anIndexedDb() {
  let data: Map<number | string, { readonly key: number | string }> | null = null
  let lastKey = 0
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
          const key = value.key ?? lastKey + 1
          if (typeof key === 'number') lastKey = Math.max(lastKey, key)
          data!.set(key, { ...value, key })
        }),
      delete: (key: number | string) => later(() => void data!.delete(key)),
      get: (key: string) => later(() => data!.get(key)),
      getAll: (_: unknown, count: number) =>
        later(() => [...data!.values()].filter(({ key }) => typeof key === 'number').slice(0, count)),
    }
  }
  const finish = (requests: ReturnType<typeof request>[]) => {
    for (let made = requests.shift(); made; made = requests.shift()) made.run()
  }
  const database = {
    close: () => undefined,
    createObjectStore() {
      data = new Map()
      lastKey = 0
      const requests: ReturnType<typeof request>[] = []
      queueMicrotask(() => finish(requests))
      return objectsOf(requests)
    },
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
    clear: () => {
      data = null
    },
    open() {
      const opening: { result?: unknown; onsuccess?: () => void; onupgradeneeded?: () => void } = { result: database }
      setImmediate(() => {
        if (data === null) opening.onupgradeneeded?.()
        setImmediate(() => opening.onsuccess?.())
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
    newEventId: () => id,
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

describe('the keys of entries', () => {
  it('are not those of others when the user has cleared the storage', async () => {
    const put = async () => {
      const store = aTab('a')
      await store.put([{ id: 'e', user: 'u', at: 0, json: '{}' }])
      return (await store.first(10)).map(({ key }: Entry) => key)
    }
    const before = await put()
    indexedDB.clear()
    now += 1_000
    const after = await put()
    expect([before.length, after.length]).toEqual([1, 1])
    expect(after[0]).toBeGreaterThan(before[0]!)
  })
})
