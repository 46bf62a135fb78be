import type { Entry, Store } from './store.ts'

/** The parts of IndexedDB and Web Locks that the store uses. */
interface Request<T> {
  readonly result: T
  readonly error: Error | null
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}
interface ObjectStore {
  put(value: unknown, key?: string): Request<unknown>
  delete(key: number | string): Request<unknown>
  get(key: string): Request<unknown>
  getAll(query: null, count?: number): Request<Entry[]>
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
  onclose: (() => void) | null
  onversionchange: (() => void) | null
}
interface Globals {
  readonly indexedDB: {
    open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null }
  }
  readonly navigator?: { readonly locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> } }
}

/** What the lease needs where there are no Web Locks. */
export interface LeaseTimes {
  now(): number
  after(ms: number, run: () => void): () => void
  newEventId(): string
  /** Longer than whoever holds the store goes on without asking again. */
  readonly leaseMs: number
}

const pollMs = 200

/** Keeps entries in IndexedDB, where all tabs of the origin share them. */
export function createIndexedStore(name: string, times: LeaseTimes): Store {
  const { indexedDB, navigator } = globalThis as unknown as Globals
  let opening: Promise<Database> | null = null
  const me = times.newEventId()

  const open = (): Promise<Database> =>
    (opening ??= new Promise<Database>((resolve, reject) => {
      const request = indexedDB.open(`freshet.${name}`, 1)
      request.onupgradeneeded = () => {
        request.result.createObjectStore('queue', { keyPath: 'key', autoIncrement: true })
        request.result.createObjectStore('lease')
      }
      request.onerror = () => {
        reject(request.error ?? new Error('no IndexedDB'))
      }
      request.onsuccess = () => {
        const database = request.result
        database.onclose = forget
        database.onversionchange = () => {
          forget()
          database.close()
        }
        resolve(database)
      }
    }).catch((error: unknown) => {
      forget()
      throw error
    }))
  const forget = (): void => {
    opening = null
  }

  /** Runs requests in one transaction; resolves when it is complete, to the result of the request that `run` returns. */
  const within = async <T>(
    of: 'queue' | 'lease',
    mode: 'readonly' | 'readwrite',
    run: (objects: ObjectStore) => Request<T> | undefined,
  ): Promise<T> => {
    const database = await open()
    return new Promise<T>((resolve, reject) => {
      let transaction: Transaction
      try {
        transaction = database.transaction(of, mode, { durability: 'relaxed' })
      } catch (error) {
        // The browser closed it; the next call opens it again.
        forget()
        throw error
      }
      const request = run(transaction.objectStore(of))
      transaction.oncomplete = () => {
        resolve(request?.result as T)
      }
      transaction.onabort = () => {
        reject(transaction.error ?? new Error('the transaction was aborted'))
      }
      // A page that dies now does not take the transaction with it.
      if (of === 'queue') transaction.commit?.()
    })
  }

  /** Takes or renews the lease; false: another page has it. */
  const lease = async (): Promise<boolean> => {
    let isMine = false
    await within('lease', 'readwrite', (objects) => {
      const request = objects.get('')
      request.onsuccess = () => {
        const held = request.result as { readonly by: string; readonly until: number } | undefined
        const nowMs = times.now()
        // A lease from the future is one of a clock that was set back.
        isMine = held === undefined || held.by === me || held.until < nowMs || held.until > nowMs + 2 * times.leaseMs
        if (isMine) objects.put({ by: me, until: nowMs + times.leaseMs }, '')
      }
      return undefined
    })
    return isMine
  }

  const write = (run: (objects: ObjectStore) => unknown): Promise<unknown> =>
    within('queue', 'readwrite', (objects) => {
      run(objects)
      return undefined
    })

  return {
    put: (entries) =>
      write((objects) => {
        for (const entry of entries) objects.put(entry)
      }),
    first: (count) => within('queue', 'readonly', (objects) => objects.getAll(null, count)),
    remove: (keys) =>
      write((objects) => {
        for (const key of keys) objects.delete(key)
      }),
    async exclusive(run) {
      const locks = navigator?.locks
      if (locks) return locks.request(`freshet.${name}`, run)
      // Without IndexedDB there is nothing to share.
      while (!(await lease().catch(() => true))) await new Promise<void>((done) => times.after(pollMs, done))
      try {
        return await run()
      } finally {
        await within('lease', 'readwrite', (objects) => objects.delete('')).catch(() => undefined)
      }
    },
    close: async () => (await opening)?.close(),
  }
}
