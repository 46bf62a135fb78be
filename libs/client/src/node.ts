import { createClient, type Freshet } from './client.ts'
import type { ClientEnvironment } from './environment.ts'
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
  /** The trace of the caller (W3C `traceparent`), asked for each request; undefined: none. A text of another form is not sent. */
  readonly traceparent?: () => string | undefined
}

/** Creates the client of a server or another program in Node. Throws if another process uses the file. @public */
export function createFreshet(options: NodeOptions): Freshet {
  const { storage = 'memory', traceparent } = options
  const own = { ...nodeEnvironment(), ...options.environment }
  const environment = traceparent === undefined ? own : { ...own, fetch: tracedFetch(own.fetch, traceparent) }
  const store = storage === 'memory' ? null : createFileStore(storage.file, (error) => options.onError?.(error))
  return createClient(options, environment, { store, defaultMaxBytes: 64 << 20, createLists }) as Freshet
}

const form = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

/** Sends the trace of the caller with each request. */
function tracedFetch(
  fetch: ClientEnvironment['fetch'],
  traceparent: () => string | undefined,
): ClientEnvironment['fetch'] {
  return (url, init) => {
    const trace = withoutError(traceparent)
    return fetch(
      url,
      trace !== undefined && form.test(trace)
        ? { ...init, headers: { ...(init.headers as Record<string, string>), traceparent: trace } }
        : init,
    )
  }
}

/** An error of the app's tracing loses no event. */
function withoutError(run: () => string | undefined): string | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
