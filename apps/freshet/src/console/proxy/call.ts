import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { ConsoleError } from '../errors.ts'
import type { Connections, Upstream } from './upstreams.ts'

/** A request to an upstream. */
export interface UpstreamCall {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** null: the request has none. */
  readonly body: Readable | string | null
  readonly timeoutMs: number
  /** Ends the call; null: nothing but time does. */
  readonly signal: AbortSignal | null
}

/** Calls an upstream. Resolves with the beginning of its answer. Rejects with CONSOLE_SERVICE_DOWN or CONSOLE_SERVICE_SLOW. */
export function callUpstream(
  connections: Connections,
  to: Upstream,
  { method, path, headers, body, timeoutMs, signal }: UpstreamCall,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${to.url}${path}`)
    const isTls = url.protocol === 'https:'
    const sending = (isTls ? httpsRequest : httpRequest)(url, {
      method,
      headers,
      agent: isTls ? connections.https : connections.http,
      timeout: timeoutMs,
      ...(signal !== null && { signal }),
    })
    sending.once('response', resolve)
    sending.once('timeout', () => {
      const text = `${to.name} (${to.url}) was silent for ${timeoutMs} ms`
      sending.destroy(new ConsoleError('CONSOLE_SERVICE_SLOW', text, { service: to.name }))
    })
    sending.once('error', (error) => reject(error instanceof ConsoleError ? error : downError(to, error)))
    if (body === null || typeof body === 'string') {
      sending.end(body ?? undefined)
      return
    }
    body.once('error', (error) => sending.destroy(error))
    body.pipe(sending)
  })
}

function downError({ name, url }: Upstream, error: NodeJS.ErrnoException): ConsoleError {
  return new ConsoleError('CONSOLE_SERVICE_DOWN', `${name} (${url}) does not answer: ${error.code ?? error.message}`, {
    service: name,
    cause: error,
  })
}
