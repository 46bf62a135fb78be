import { createClient, type ClientParts, type Tracker } from './client.ts'
import { pageEnvironment } from './page-environment.ts'
import { createIndexedStore } from './indexed-store.ts'
import type { PageOptions } from './options.ts'
import { defaultTimeoutMs } from './send.ts'

/** Creates the client of a page. It begins at once to send what earlier pages left. */
export function createPageClient(options: PageOptions, createLists?: ClientParts['createLists']): Tracker {
  const environment = { ...pageEnvironment(), ...options.environment }
  const leaseMs = 2 * (options.requestTimeoutMs ?? defaultTimeoutMs) + 5_000
  const times = { ...environment, me: environment.newEventId(), leaseMs }
  const store = options.storage === 'memory' ? null : createIndexedStore(options.name ?? 'default', times)
  return createClient(options, environment, { store, defaultMaxBytes: 2 << 20, createLists })
}
