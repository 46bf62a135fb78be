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
  /** Of the user whom the token is for. */
  let epoch = 0
  /** The server checks each credential that it gets, and a write key is enough for events. */
  const needsToken = (url: string): boolean => !writeKey || !url.endsWith('/engagements')
  const init = (url: string, body: string, token?: string): RequestInit => ({
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
        const either = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
        const asked = epoch
        let own = token
        if (isRenewable && !own) {
          own = await new Promise<string>((resolve, reject) => {
            either.onabort = () => {
              reject(either.reason as Error)
            }
            Promise.resolve().then(readToken).then(resolve, reject)
          })
          // The user changed meanwhile: the token is for the old one.
          if (asked === epoch) token = own
        }
        const response = await fetch(url, { ...init(url, body, own), signal: either })
        const { status, headers } = response
        const text = await response.text()
        let json: unknown = null
        try {
          json = JSON.parse(text)
        } catch {
          // Not from our servers.
        }
        const isRenewed = (status === 401 || status === 403) && isRenewable
        if (isRenewed && token === own) token = ''
        return { status, headers, json, isRenewed }
      } catch (error) {
        throw freshetError(0, { code: 'NO_ANSWER', message: (error as Error).message })
      } finally {
        cancel()
      }
    },
    postLast(url, body) {
      fetch(url, init(url, body, token)).catch(() => undefined)
    },
    renew() {
      epoch++
      if (canRenew) token = ''
    },
  }
}

/** The error of an answer. */
export function errorOf(answer: Answer): FreshetError {
  return freshetError(answer.status, problemIn(answer))
}

/** Whether it comes from a server of ours, and not from something in front of it. */
export function isOurs(answer: Answer): boolean {
  return typeof problemIn(answer).code === 'string'
}

function problemIn({ json }: Answer): Partial<Problem> {
  return (json as { readonly error?: Partial<Problem> } | null)?.error ?? {}
}

function freshetError(status: number, { code, field = '', message }: Partial<Problem>): FreshetError {
  return Object.assign(Error(message ?? `the server answered with status ${status}`), {
    ...{ name: 'FreshetError', status, field },
    code: code ?? `HTTP_${status}`,
  })
}
