import { createClient, type Freshet } from './client.ts'
import { nodeEnvironment } from './node-environment.ts'
import { createFileStore } from './file-store.ts'
import { createLists } from './lists.ts'
import type { FreshetOptions } from './options.ts'

export type * from './client.ts'
export type * from './engagement.ts'
export type * from './feed.ts'
export type * from './lists.ts'
export type * from './options.ts'
/** @public */
export type { FreshetError } from './send.ts'

/** Options in Node. */
export interface NodeOptions extends FreshetOptions {
  /** Where events wait: in `memory` (default), or in a file that survives the process and belongs to it alone. */
  readonly storage?: 'memory' | { readonly file: string }
}

/** Creates the client of a server or another program in Node. Throws if another process uses the file. @public */
export function createFreshet(options: NodeOptions): Freshet {
  const environment = { ...nodeEnvironment(), ...options.environment }
  const { storage = 'memory' } = options
  const store = storage === 'memory' ? null : createFileStore(storage.file, (error) => options.onError?.(error))
  return createClient(options, environment, { store, defaultMaxBytes: 64 << 20, createLists }) as Freshet
}
