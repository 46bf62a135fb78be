import type { ClientEnvironment } from './environment.ts'
import type { FreshetOptions, Problem } from './options.ts'

/** An unsuccessful answer: an Error with the name `FreshetError`. */
export interface FreshetError extends Error {
  /** Code of the server's error catalogue, `NO_ANSWER`, or `HTTP_` and the status where something else than our servers answered. */
  readonly code: string
  /** The field that is wrong; empty: none in particular. */
  readonly field: string
  /** HTTP status; 0: no answer came, and the code is `NO_ANSWER`. */
  readonly status: number
  /** How long the server asks to be left alone; 0: it does not say. */
  readonly retryAfterMs: number
}

/** Browsers accept at most 64 KiB of requests that outlive their page. */
export const maxKeepaliveBytes = 60_000

/** Longest request, when the options do not say. */
export const defaultTimeoutMs = 10_000

/** What servers answer. */
export interface Answer {
  readonly receipts?: readonly Receipt[]
  readonly receivedAt?: string
}

interface Json extends Answer {
  readonly error?: Partial<Problem> | null
}

/** The server's result for one event. */
export interface Receipt extends Problem {
  /** Only of an accepted event, which has no problem. */
  readonly token: string
}

/** Reaches the servers. */
export interface Network {
  /** Posts JSON; resolves to the JSON of the answer. Rejects with a FreshetError when none comes in time or it is not a success, unless it has receipts. */
  post(url: string, body: string, signal?: AbortSignal): Promise<Answer>
  /** Posts at once, with the last token, for a page that closes. */
  postLast(url: string, body: string): void
  /** Forgets the token of a function: the user changed. */
  renew(): void
}

/** The network, with the key and the token of the options. */
export function createNetwork(
  { writeKey, readToken, requestTimeoutMs = defaultTimeoutMs }: FreshetOptions,
  { fetch, after, now }: ClientEnvironment,
): Network {
  const canRenew = typeof readToken === 'function'
  /** Of the current user. */
  let asked: Promise<string | undefined> | undefined
  let token = canRenew ? undefined : readToken
  const send = (url: string, body: string, own: string | undefined, signal: AbortSignal | null): Promise<Response> =>
    // Addresses may end with a slash.
    fetch(url.replace(/([^:])\/+/g, '$1/'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(writeKey && { 'freshet-key': writeKey }),
        ...(own && { authorization: `Bearer ${own}` }),
      },
      body,
      signal,
      keepalive: new Blob([body]).size < maxKeepaliveBytes,
    })
  const renew = (): void => {
    asked = undefined
    if (canRenew) token = asked
  }

  const post = async (url: string, body: string, signal?: AbortSignal, isSecond?: boolean): Promise<Answer> => {
    // The server checks each credential that it gets, and a write key is enough for events.
    const isPublic = writeKey && url.endsWith('/engagements')
    const ending = new AbortController()
    const attempt = async () => {
      const mine = isPublic ? undefined : canRenew ? (asked ??= Promise.resolve().then(readToken)) : token
      const own = await mine
      // Else the user changed meanwhile: the token is for the old one.
      if (mine && asked === mine) token = own
      const response = await send(url, body, own, signal ?? ending.signal)
      return [response, (await response.json().catch(() => null)) as Json | null] as const
    }
    let cancel!: () => void
    const [response, json] = await new Promise<Awaited<ReturnType<typeof attempt>>>((resolve, reject) => {
      cancel = after(requestTimeoutMs, () => {
        reject(Error('timeout'))
        ending.abort()
      })
      attempt().then(resolve, reject)
    })
      .catch((error: unknown) => {
        // The app did not give it in time, or could not.
        if (!token) renew()
        throw freshetError(0, { code: 'NO_ANSWER', message: (error as Error).message })
      })
      .finally(() => {
        cancel()
      })
    const { status } = response
    if (json?.receipts ?? (response.ok && json)) return json
    if (canRenew && !isPublic && (status === 401 || status === 403)) {
      renew()
      if (!isSecond) return post(url, body, signal, true)
    }
    const retryAfter = response.headers.get('retry-after')
    throw freshetError(status, json?.error ?? {}, Number(retryAfter) * 1000 || Date.parse(retryAfter!) - now() || 0)
  }

  return {
    post,
    postLast(url, body) {
      send(url, body, writeKey ? undefined : token, null).catch(() => undefined)
    },
    renew,
  }
}

function freshetError(status: number, { code, field = '', message }: Partial<Problem>, retryAfterMs = 0): FreshetError {
  // Something in front of our servers may give other errors.
  if (typeof code !== 'string') code = `HTTP_${status}`
  return Object.assign(Error(message ?? code), { name: 'FreshetError', status, code, field, retryAfterMs })
}
