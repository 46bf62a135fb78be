import type { Awaited, Database, Request, Within } from './indexed-db.ts'
import { runLeased, type LeaseTimes } from './lease.ts'
import type { Store } from './store.ts'

declare const indexedDB: { open(name: string, version: number): Request<Database> }
declare const IDBKeyRange: { upperBound(key: number): object }
declare const navigator: { readonly locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> } }

const objectsName = 'queue'

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
