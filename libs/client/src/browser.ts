import { createClient, type Freshet } from './client.ts'
import { pageEnvironment } from './page-environment.ts'
import { createIndexedStore } from './indexed-store.ts'
import type { FreshetOptions } from './options.ts'
import { defaultTimeoutMs } from './send.ts'

export type * from './client.ts'
export type * from './engagement.ts'
export type * from './feed.ts'
export type * from './options.ts'
/** @public */
export type { FreshetError } from './send.ts'

/** Options in a page. */
export interface PageOptions extends FreshetOptions {
  /** Where events wait: `indexeddb` (default) survives the page and is shared by all tabs; `memory` ends with the page. */
  readonly storage?: 'indexeddb' | 'memory'
}

/** Creates the client of a page. It begins at once to send what earlier pages left. @public */
export function createFreshet(options: PageOptions): Freshet {
  const environment = { ...pageEnvironment(), ...options.environment }
  const leaseMs = 2 * (options.requestTimeoutMs ?? defaultTimeoutMs) + 5_000
  const store =
    options.storage === 'memory' ? null : createIndexedStore(options.name ?? 'default', { ...environment, leaseMs })
  return createClient(options, environment, store, 2 << 20)
}
