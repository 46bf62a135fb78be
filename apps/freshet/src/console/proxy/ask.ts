import type { IncomingHttpHeaders } from 'node:http'
import { json } from 'node:stream/consumers'
import { callUpstream } from './call.ts'
import { ConsoleError, UpstreamRefusal } from '../errors.ts'
import type { Connections, Upstream } from './upstreams.ts'

/** A question of the console itself, in the name of a caller. */
export interface Question {
  readonly path: string
  readonly body: object
  /** The headers of the caller's request; only its credentials are sent. */
  readonly caller: IncomingHttpHeaders
  /** Ends the call; absent: nothing but time does. */
  readonly signal?: AbortSignal
}

/** Asks an upstream. Throws a ConsoleError if it does not answer, and UpstreamRefusal with its own answer if it refuses. */
export type AskUpstream = (to: Upstream, question: Question) => Promise<unknown>

/** Asks upstreams in JSON, with the credentials of the caller, so that the upstream decides what the caller may know. */
export function createAskUpstream(connections: Connections, timeoutMs: number): AskUpstream {
  return async (to, { path, body, caller, signal }) => {
    const { authorization, 'freshet-key': key } = caller
    const answer = await callUpstream(connections, to, {
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        ...(authorization !== undefined && { authorization }),
        ...(key !== undefined && { 'freshet-key': key }),
      },
      body: JSON.stringify(body),
      timeoutMs,
      signal: signal ?? null,
    })
    const status = answer.statusCode ?? 502
    const content = await json(answer).catch((error: unknown) => {
      const text = `${to.name} (${to.url}) broke off its answer`
      throw new ConsoleError('CONSOLE_SERVICE_DOWN', text, { service: to.name, cause: error })
    })
    if (status >= 400) throw new UpstreamRefusal(status, content)
    return content
  }
}
