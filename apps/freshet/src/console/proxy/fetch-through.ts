import { json } from 'node:stream/consumers'
import type { Fetching } from '../../operations/fetching.ts'
import { callUpstream } from './call.ts'
import type { Connections } from './upstreams.ts'

/** Requests over the connections of the console, which trust what its `tls` settings name. `fetch` knows only the authorities of the system. */
export function fetchThrough(connections: Connections, timeoutMs: number): Fetching {
  return async (url, { method, headers, body, signal }) => {
    const answer = await callUpstream(
      connections,
      { name: url.host, url: url.origin },
      {
        ...{ method, path: `${url.pathname}${url.search}`, headers, timeoutMs },
        ...{ body: body ?? null, signal: signal ?? null },
      },
    )
    const status = answer.statusCode ?? 502
    return {
      ...{ status, ok: status >= 200 && status < 300 },
      headers: { get: (name) => [answer.headers[name] ?? null].flat()[0] ?? null },
      json: () => json(answer),
    }
  }
}
