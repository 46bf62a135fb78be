import type { Entry, Store } from './store.ts'

/** The parts of IndexedDB and Web Locks that the store uses. */
interface Request<T> {
  readonly result: T
  readonly error: Error | null
  onsuccess: (() => void) | null
  onerror: (() => void) | null
  onupgradeneeded?: (() => void) | null
}
interface ObjectStore {
  put(value: object): Request<unknown>
  delete(key: number | string): Request<unknown>
  get(key: string): Request<Lease | undefined>
  getAll(range: object, count: number): Request<Entry[]>
}
interface Transaction {
  objectStore(name: string): ObjectStore
  commit?(): void
  readonly error: Error | null
  oncomplete: (() => void) | null
  onabort: (() => void) | null
}
interface Database {
  transaction(names: string, mode: 'readonly' | 'readwrite', options?: { readonly durability: string }): Transaction
  createObjectStore(name: string, options?: object): unknown
  close(): void
  onversionchange: (() => void) | null
}
interface Globals {
  readonly indexedDB: { open(name: string, version: number): Request<Database> }
  readonly IDBKeyRange: { upperBound(key: number): object }
  readonly navigator: { readonly locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> } }
}

/** Who may send, where there are no Web Locks. Its key sorts after all numbers. */
interface Lease {
  readonly key: typeof leaseKey
  readonly by: string
  readonly until: number
}

/** What the lease needs. */
export interface LeaseTimes {
  now(): number
  after(ms: number, run: () => void): () => void
  newEventId(): string
  /** Longer than whoever holds the store goes on without asking again. */
  readonly leaseMs: number
}

const leaseKey = 'lease'
const objectsName = 'queue'
const pollMs = 200

/** Keeps entries in IndexedDB, where all tabs of the origin share them. */
export function createIndexedStore(name: string, { now, after, newEventId, leaseMs }: LeaseTimes): Store {
  const { indexedDB, IDBKeyRange, navigator } = globalThis as unknown as Globals
  const me = newEventId()
  let opening: Promise<Database> | null = null

  const open = (): Promise<Database> =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open(`freshet.${name}`, 1)
      request.onupgradeneeded = () => {
        request.result.createObjectStore(objectsName, { keyPath: 'key', autoIncrement: true })
      }
      request.onerror = () => {
        reject(request.error!)
      }
      request.onsuccess = () => {
        const database = request.result
        database.onversionchange = () => {
          database.close()
        }
        resolve(database)
      }
    })

  /** Runs requests in one transaction; resolves when it is complete, to the result of the request that `run` returns. */
  const within = async <T>(
    mode: 'readonly' | 'readwrite',
    run: (objects: ObjectStore, transaction: Transaction) => Request<T> | void,
  ): Promise<T> => {
    try {
      const database = await (opening ??= open())
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction(objectsName, mode, { durability: 'relaxed' })
        const request = run(transaction.objectStore(objectsName), transaction)
        transaction.oncomplete = () => {
          resolve(request?.result as T)
        }
        transaction.onabort = () => {
          reject(transaction.error!)
        }
      })
    } catch (error) {
      // The browser may have closed it.
      opening = null
      throw error
    }
  }

  /** Takes or renews the lease; false: another page has it. */
  const lease = async (): Promise<boolean> => {
    let isMine = false
    await within('readwrite', (objects) => {
      const request = objects.get(leaseKey)
      request.onsuccess = () => {
        const { by = me, until = 0 } = request.result ?? {}
        // A lease from the far future is one of a clock that was set back.
        isMine = by === me || Math.abs(until - now() - leaseMs) > leaseMs
        if (isMine) objects.put({ key: leaseKey, by: me, until: now() + leaseMs })
      }
    })
    return isMine
  }

  return {
    put: (entries) =>
      within('readwrite', (objects, transaction) => {
        for (const entry of entries) objects.put(entry)
        // A page that dies now does not take the transaction with it.
        transaction.commit?.()
      }),
    first: (count) => within('readonly', (objects) => objects.getAll(IDBKeyRange.upperBound(1 / 0), count)),
    remove: (keys) =>
      within('readwrite', (objects) => {
        for (const key of keys) objects.delete(key)
      }),
    async exclusive(run) {
      if (navigator.locks) return navigator.locks.request(`freshet.${name}`, () => run())
      // Without IndexedDB there is nothing to share.
      const isMine = () => lease().catch(() => true)
      while (!(await isMine())) await new Promise<void>((done) => void after(pollMs, done))
      return run(isMine).finally(() =>
        within('readwrite', (objects) => {
          const request = objects.get(leaseKey)
          request.onsuccess = () => {
            if (request.result?.by === me) objects.delete(leaseKey)
          }
        }).catch(() => undefined),
      )
    },
    close: async () => (await opening)?.close(),
  }
}
