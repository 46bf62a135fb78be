import type { ConsoleConfig } from '../../api/config.ts'
import { callJson, isFailure, type CallOptions } from '../../api/http.ts'

/**
 * Asks the operations servers of the services for a path, one after the other, until one serves it. Rejects with the Failure of
 * the first that says something about the request itself, else with the first Failure.
 */
export async function askOperations<T>(
  services: ConsoleConfig['services'],
  path: string,
  options: CallOptions = {},
): Promise<T> {
  let first: Error | null = null
  for (const { name } of services) {
    try {
      return await callJson<T>(`/api/operations/${encodeURIComponent(name)}${path}`, options)
    } catch (thrown) {
      options.signal?.throwIfAborted()
      if (isFailure(thrown) && thrown.status >= 400 && thrown.status < 500 && thrown.code !== 'ROUTE_UNKNOWN')
        throw thrown
      first ??= thrown as Error
    }
  }
  throw first ?? Object.assign(new Error('The console knows no operations server.'), { status: 0, code: 'NO_SERVICE' })
}
