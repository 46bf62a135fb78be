// The parts of IndexedDB that the store uses.

import type { Entry } from './store.ts'

interface Failed {
  readonly target: { readonly error: Error }
}
/** What a request or a transaction calls when it ends. */
export interface Awaited {
  onsuccess?: (() => void) | null
  oncomplete?: (() => void) | null
  onerror: ((event: Failed) => void) | null
  onabort?: ((event: Failed) => void) | null
}
/** A request in a transaction. */
export interface Request<T> extends Awaited {
  readonly result: T
  onupgradeneeded?: (() => void) | null
}
interface ObjectStore {
  put(value: object): Request<unknown>
  delete(key: number): Request<unknown>
  get(key: string): Request<object | undefined>
  getAll(range: object, count: number): Request<Entry[]>
}
interface Transaction extends Awaited {
  objectStore(name: string): ObjectStore
  commit?(): void
}
/** An open database. */
export interface Database {
  transaction(names: string, mode: 'readwrite', options: { readonly durability: string }): Transaction
  createObjectStore(name: string, options?: object): unknown
  close(): void
  onversionchange: (() => void) | null
}

/** Runs requests in one transaction; resolves when it is complete, to the result of the request that `run` returns. */
export type Within = <T>(run: (objects: ObjectStore, transaction: Transaction) => Request<T> | void) => Promise<T>
