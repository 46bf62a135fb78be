import type { ClientEnvironment } from './environment.ts'
import type { FreshetOptions, Problem } from './options.ts'

/** An unsuccessful answer: an Error with the name `FreshetError`. */
export interface FreshetError extends Error {
  /** Code of the server's error catalogue. */
  readonly code: string
  /** The field that is wrong; empty: none in particular. */
  readonly field: string
  /** HTTP status; 0: no answer came, and the code is `NO_ANSWER`. */
  readonly status: number
}

/** Browsers accept at most 64 KiB of requests that outlive their page. */
export const maxKeepaliveBytes = 60_000

/** A server's answer. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** null: it is not JSON. */
  readonly json: unknown
  /** The token was refused, and the next request has another one. */
  readonly isRenewed: boolean
}

/** Reaches the servers. */
export interface Network {
  /** Posts JSON. Rejects with a FreshetError if no answer comes in time. */
  post(url: string, body: string, signal?: AbortSignal): Promise<Answer>
  /** Posts at once, with the last token, for a page that closes. */
  postLast(url: string, body: string): void
  /** Forgets the token of a function: the user changed. */
  renew(): void
}

/** The network, with the key and the token of the options. */
export function createNetwork(
  { writeKey, readToken }: FreshetOptions,
  timeoutMs: number,
  { fetch, after }: ClientEnvironment,
): Network {
  const canRenew = typeof readToken === 'function'
  let token = canRenew ? '' : readToken
  /** The server checks each credential that it gets, and a write key is enough for events. */
  const needsToken = (url: string): boolean => !writeKey || !url.endsWith('/engagements')
  const init = (url: string, body: string): RequestInit => ({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(writeKey && { 'freshet-key': writeKey }),
      ...(token && needsToken(url) && { authorization: `Bearer ${token}` }),
    },
    body,
    keepalive: new Blob([body]).size < maxKeepaliveBytes,
  })
  return {
    async post(url, body, signal) {
      const ending = new AbortController()
      const cancel = after(timeoutMs, () => {
        ending.abort(Error(`no answer within ${timeoutMs} ms`))
      })
      try {
        const isRenewable = canRenew && needsToken(url)
        if (isRenewable) token ||= await readToken()
        const response = await fetch(url, {
          ...init(url, body),
          signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
        })
        const { status, headers } = response
        const text = await response.text()
        let json: unknown = null
        try {
          json = JSON.parse(text)
        } catch {
          // Not from our servers.
        }
        const isRenewed = status === 401 && isRenewable
        if (isRenewed) token = ''
        return { status, headers, json, isRenewed }
      } catch (error) {
        throw freshetError(0, { code: 'NO_ANSWER', message: (error as Error).message })
      } finally {
        cancel()
      }
    },
    postLast(url, body) {
      fetch(url, init(url, body)).catch(() => undefined)
    },
    renew() {
      if (canRenew) token = ''
    },
  }
}

/** The error of an answer. */
export function errorOf({ status, json }: Answer): FreshetError {
  return freshetError(status, (json as { readonly error?: Partial<Problem> } | null)?.error)
}

function freshetError(status: number, { code, field = '', message }: Partial<Problem> = {}): FreshetError {
  return Object.assign(Error(message ?? `the server answered with status ${status}`), {
    ...{ name: 'FreshetError', status, field },
    code: code ?? `HTTP_${status}`,
  })
}
