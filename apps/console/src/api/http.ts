import { after, readStored, writeStored } from './browser.ts'

/** Why a call did not succeed, in words for a person. */
export interface Failure {
  /** HTTP status; 0: no answer came. */
  readonly status: number
  /** Code of the server's error catalogue, `NO_ANSWER` or `HTTP_<status>`. */
  readonly code: string
  readonly message: string
}

/** Options of a call. */
export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON. A string or a Blob is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Default 10,000. */
  readonly timeoutMs?: number
}

const keyName = 'freshet.adminKey'

/** The admin key that the person gave in this tab; null: none. */
export function adminKey(): string | null {
  return readStored('session', keyName)
}

const keyListeners = new Set<() => void>()

/** Keeps the admin key for this tab; null forgets it. */
export function setAdminKey(key: string | null): void {
  writeStored('session', keyName, key)
  for (const listener of keyListeners) listener()
}

/** Calls `listener` when the admin key changes; returns a function that ends it. */
export function onAdminKey(listener: () => void): () => void {
  keyListeners.add(listener)
  return () => keyListeners.delete(listener)
}

/** Calls a path of this origin and reads its JSON. Rejects with a Failure, or with an AbortError if `signal` aborts. */
export async function callJson<T>(path: string, options: CallOptions = {}): Promise<T> {
  const { method = options.body === undefined ? 'GET' : 'POST', body, headers, signal, timeoutMs = 10_000 } = options
  const isRaw = typeof body === 'string' || body instanceof Blob
  const key = adminKey()
  const timeout = new AbortController()
  const cancel = after(timeoutMs, () => {
    timeout.abort()
  })
  try {
    const response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...(key !== null && { 'freshet-key': key }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    })
    const text = await response.text()
    if (!response.ok) throw asError(failureOf(response.status, text))
    return (text === '' ? null : JSON.parse(text)) as T
  } catch (error) {
    if (isFailure(error) || signal?.aborted) throw error
    const message = timeout.signal.aborted ? `No answer within ${timeoutMs / 1000} s.` : 'The server did not answer.'
    throw asError({ status: 0, code: 'NO_ANSWER', message })
  } finally {
    cancel()
  }
}

/** Whether something thrown is a Failure. */
export function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown && 'status' in thrown
}

/** What was thrown, as a Failure. */
export function asFailure(thrown: unknown): Failure {
  if (isFailure(thrown)) return { status: thrown.status, code: thrown.code, message: thrown.message }
  return { status: 0, code: 'UNEXPECTED', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

function asError({ status, code, message }: Failure): Error & Failure {
  return Object.assign(new Error(message), { status, code })
}

/** The problem in an answer: the services' form `{code, message}` or `{error: {code, message}}`, or plain text. */
export function failureOf(status: number, text: string): Failure {
  const fallback = {
    status,
    code: `HTTP_${status}`,
    message: text.trim().slice(0, 300) || `The server answered ${status}.`,
  }
  try {
    const json = JSON.parse(text) as { code?: unknown; message?: unknown; error?: unknown }
    const problem = (typeof json.error === 'object' && json.error !== null ? json.error : json) as typeof json
    if (typeof problem.message !== 'string') return fallback
    return { status, code: typeof problem.code === 'string' ? problem.code : fallback.code, message: problem.message }
  } catch {
    return fallback
  }
}
