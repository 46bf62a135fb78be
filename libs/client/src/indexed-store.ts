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
  delete(key: number): Request<unknown>
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
  transaction(names: string, mode: 'readwrite', options: { readonly durability: string }): Transaction
  createObjectStore(name: string, options?: object): unknown
  close(): void
  onversionchange: (() => void) | null
}
declare const indexedDB: { open(name: string, version: number): Request<Database> }
declare const IDBKeyRange: { upperBound(key: number): object }
declare const navigator: { readonly locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> } }

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
  const within = async <T>(run: (objects: ObjectStore, transaction: Transaction) => Request<T> | void): Promise<T> => {
    try {
      const database = await (opening ??= open())
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction(objectsName, 'readwrite', { durability: 'relaxed' })
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

  /** Takes, renews or, with 0, gives up the lease; false: another page has it. */
  const lease = async (until: number): Promise<boolean> => {
    let isMine = false
    await within((objects) => {
      const request = objects.get(leaseKey)
      request.onsuccess = () => {
        const { by = me, until: end = 0 } = request.result ?? {}
        // A lease from the far future is one of a clock that was set back.
        isMine = by === me || Math.abs(end - now() - leaseMs) > leaseMs
        if (isMine) objects.put({ key: leaseKey, by: me, until })
      }
    })
    return isMine
  }

  return {
    put: (entries) =>
      within((objects, transaction) => {
        for (const entry of entries) objects.put(entry)
        // A page that dies now does not take the transaction with it.
        transaction.commit?.()
      }),
    first: (count) => within((objects) => objects.getAll(IDBKeyRange.upperBound(1 / 0), count)),
    remove: (keys) =>
      within((objects) => {
        for (const key of keys) objects.delete(key)
      }),
    async exclusive(run) {
      if (navigator.locks) return navigator.locks.request(`freshet.${name}`, () => run())
      // Without IndexedDB there is nothing to share.
      const isMine = () => lease(now() + leaseMs).catch(() => true)
      while (!(await isMine())) await new Promise<void>((done) => void after(pollMs, done))
      return run(isMine).finally(() => lease(0).catch(() => true))
    },
    close: async () => (await opening)?.close(),
  }
}
