import { runLeased, type LeaseTimes } from './lease.ts'
import type { Entry, Store } from './store.ts'

/** The parts of IndexedDB and Web Locks that the store uses. */
interface Failed {
  readonly target: { readonly error: Error }
}
export interface Awaited {
  onsuccess?: (() => void) | null
  oncomplete?: (() => void) | null
  onerror: ((event: Failed) => void) | null
  onabort?: ((event: Failed) => void) | null
}
export interface Request<T> extends Awaited {
  readonly result: T
  onupgradeneeded?: (() => void) | null
}
export interface ObjectStore {
  put(value: object): Request<unknown>
  delete(key: number): Request<unknown>
  get(key: string): Request<object | undefined>
  getAll(range: object, count: number): Request<Entry[]>
}
export interface Transaction extends Awaited {
  objectStore(name: string): ObjectStore
  commit?(): void
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

const objectsName = 'queue'

/** Runs requests in one transaction; resolves when it is complete, to the result of the request that `run` returns. */
export type Within = <T>(run: (objects: ObjectStore, transaction: Transaction) => Request<T> | void) => Promise<T>

/** Keeps entries in IndexedDB, where all tabs of the origin share them. */
export function createIndexedStore(name: string, times: LeaseTimes): Store {
  let opening: Promise<Database> | null = null

  /** Resolves to the result of a request when it, or the transaction that it is part of, is complete. */
  const completed = <T>(request: Request<T> | void, awaited: Awaited): Promise<T> =>
    new Promise((resolve, reject) => {
      awaited.onsuccess = awaited.oncomplete = () => {
        resolve(request?.result as T)
      }
      awaited.onerror = awaited.onabort = ({ target }) => {
        reject(target.error)
      }
    })

  const open = async (): Promise<Database> => {
    const request = indexedDB.open(`freshet.${name}`, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(objectsName, { keyPath: 'key', autoIncrement: true })
    }
    const database = await completed(request, request)
    database.onversionchange = () => {
      database.close()
    }
    return database
  }

  const within: Within = async (run) => {
    try {
      const database = await (opening ??= open())
      const transaction = database.transaction(objectsName, 'readwrite', { durability: 'relaxed' })
      return await completed(run(transaction.objectStore(objectsName), transaction), transaction)
    } catch (error) {
      // The browser may have closed it.
      opening = null
      throw error
    }
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
    exclusive: (run) => navigator.locks?.request(`freshet.${name}`, () => run()) ?? runLeased(run, within, times),
    close: async () => (await opening)?.close(),
  }
}
