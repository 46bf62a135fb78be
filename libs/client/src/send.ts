import type { ClientEnvironment } from './environment.ts'
import type { FreshetOptions, Problem } from './options.ts'

/** An unsuccessful answer. */
export class FreshetError extends Error {
  /** HTTP status; 0: no answer came. */
  declare readonly status: number
  /** Code of the server's error catalogue; `NO_ANSWER`: no answer came. */
  declare readonly code: string
  /** The field that is wrong; empty: none in particular. */
  declare readonly field: string
  constructor(status: number, problem: Partial<Problem>) {
    super(problem.message ?? `the server answered with status ${status}`)
    Object.assign(this, {
      name: 'FreshetError',
      status,
      code: problem.code ?? `HTTP_${status}`,
      field: problem.field ?? '',
    })
  }
}

/** Browsers accept at most 64 KiB of requests that outlive their page. */
export const maxKeepaliveBytes = 60_000

/** A server's answer. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** null: it is not JSON. */
  readonly json: unknown
}

/** Reaches the servers. */
export interface Network {
  /** Posts JSON. Rejects with a FreshetError if no answer comes in time. */
  post(url: string, body: string, signal?: AbortSignal): Promise<Answer>
  /** Posts at once, with the last token, for a page that closes. */
  postLast(url: string, body: string): void
  /** Forgets the token; true: another one can be asked for. */
  renew(): boolean
}

/** The network, with the key and the token of the options. */
export function createNetwork(
  { writeKey, readToken }: FreshetOptions,
  timeoutMs: number,
  { fetch, after }: ClientEnvironment,
): Network {
  const canRenew = typeof readToken === 'function'
  let token = canRenew ? '' : readToken
  const init = (body: string): RequestInit => ({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(writeKey && { 'freshet-key': writeKey }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body,
    keepalive: body.length < maxKeepaliveBytes,
  })
  return {
    async post(url, body, signal) {
      const ending = new AbortController()
      const cancel = after(timeoutMs, () => {
        ending.abort(new Error(`no answer within ${timeoutMs} ms`))
      })
      const abort = (): void => {
        ending.abort(signal?.reason)
      }
      signal?.addEventListener('abort', abort)
      try {
        if (canRenew) token ||= await readToken()
        signal?.throwIfAborted()
        const response = await fetch(url, { ...init(body), signal: ending.signal })
        const { status, headers } = response
        const text = await response.text()
        let json: unknown = null
        try {
          json = JSON.parse(text)
        } catch {
          // Not from our servers.
        }
        return { status, headers, json }
      } catch (error) {
        throw new FreshetError(0, { code: 'NO_ANSWER', message: (error as Error).message })
      } finally {
        cancel()
        signal?.removeEventListener('abort', abort)
      }
    },
    postLast(url, body) {
      fetch(url, init(body)).catch(() => undefined)
    },
    renew() {
      if (canRenew) token = ''
      return canRenew
    },
  }
}

/** The error of an answer. */
export function errorOf({ status, json }: Answer): FreshetError {
  return new FreshetError(status, (json as { readonly error?: Partial<Problem> } | null)?.error ?? {})
}
