import type { Exchange } from './clock-offset.ts'
import type { TrackedEngagement } from './engagement.ts'
import type { ClientEnvironment } from './environment.ts'

/** The server's result for one event. */
export type Receipt =
  | { readonly id: string; readonly token: string }
  | { readonly id: string; readonly code: string; readonly field: string; readonly message: string }

/** The outcome of an attempt to send a batch. */
export type Attempt =
  /** Each event was accepted or rejected. `exchange` is null if the server did not report when it received the request. */
  | { readonly kind: 'answered'; readonly receipts: readonly Receipt[]; readonly exchange: Exchange | null }
  /** The batch is too large and must be split. */
  | { readonly kind: 'too large'; readonly error: Error }
  /** The server will never accept any of it. */
  | { readonly kind: 'refused'; readonly error: Error }
  /** The server may accept it later; `retryAfterMs`: the pause that the server asked for. */
  | { readonly kind: 'failed'; readonly error: Error; readonly retryAfterMs: number }

/** An unsuccessful answer. */
export class FreshetError extends Error {
  /** HTTP status; 0: no answer came. */
  readonly status: number
  /** Code of the server's error catalogue; `NO_ANSWER`: no answer came. */
  readonly code: string
  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FreshetError'
    this.status = status
    this.code = code
  }
}

/** Browsers accept at most 64 KiB of requests that outlive their page. */
export const maxKeepaliveBytes = 60_000

/** Builds the body of a batch with the client's time and known clock offset, so that the server can correct times. */
export function batchBody(events: readonly TrackedEngagement[], nowMs: number, clockOffsetMs: number): string {
  const sentAt = new Date(nowMs).toISOString()
  return JSON.stringify({ engagements: events, sentAt, ...(clockOffsetMs === 0 ? {} : { clockOffsetMs }) })
}

/** Posts a batch once. Never rejects. */
export async function sendBatch(
  url: string,
  events: readonly TrackedEngagement[],
  options: { readonly timeoutMs: number; readonly clockOffsetMs: number },
  environment: ClientEnvironment,
): Promise<Attempt> {
  const sentAtMs = environment.now()
  const body = batchBody(events, sentAtMs, options.clockOffsetMs)
  try {
    const { status, headers, json } = await postJson(url, body, options, environment)
    const { receipts, receivedAt } = (json ?? {}) as {
      readonly receipts?: readonly Receipt[]
      readonly receivedAt?: string
    }
    const complete = Array.isArray(receipts) && receipts.length === events.length
    if ((status === 202 || status === 400) && complete) {
      const receivedAtMs = Date.parse(receivedAt ?? '')
      const exchange = { sentAtMs, answeredAtMs: environment.now(), receivedAtMs }
      return { kind: 'answered', receipts, exchange: Number.isNaN(receivedAtMs) ? null : exchange }
    }
    const error = errorOf(status, json)
    if (status === 413) return { kind: 'too large', error }
    const retryable = status === 408 || status === 429 || status >= 500 || status < 400
    if (!retryable) return { kind: 'refused', error }
    return { kind: 'failed', error, retryAfterMs: retryAfterMs(headers.get('retry-after'), environment.now()) }
  } catch (error) {
    return { kind: 'failed', error: noAnswer(error), retryAfterMs: 0 }
  }
}

/** Posts JSON and reads the JSON answer. Rejects if no answer comes in time. */
export async function postJson(
  url: string,
  body: string,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  environment: ClientEnvironment,
): Promise<{ readonly status: number; readonly headers: Headers; readonly json: unknown }> {
  const ending = new AbortController()
  const abort = (): void => {
    ending.abort(options.signal?.reason)
  }
  const cancel = environment.after(options.timeoutMs, () => {
    ending.abort(new Error(`no answer within ${options.timeoutMs} ms`))
  })
  if (options.signal?.aborted === true) abort()
  options.signal?.addEventListener('abort', abort, { once: true })
  try {
    const response = await environment.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      keepalive: body.length <= maxKeepaliveBytes,
      signal: ending.signal,
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, json: parsed(text) }
  } finally {
    cancel()
    options.signal?.removeEventListener('abort', abort)
  }
}

/** Creates the error for an answer. */
export function errorOf(status: number, json: unknown): FreshetError {
  const { error } = (json ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } }
  const code = typeof error?.code === 'string' ? error.code : `HTTP_${status}`
  const message = typeof error?.message === 'string' ? error.message : `the server answered with status ${status}`
  return new FreshetError(status, code, message)
}

/** Creates the error for a request without an answer. */
export function noAnswer(cause: unknown): FreshetError {
  return new FreshetError(0, 'NO_ANSWER', cause instanceof Error ? cause.message : String(cause), { cause })
}

/** Converts a `Retry-After` header, seconds or a date, to milliseconds from now. */
function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return ms > 0 ? ms : 0
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
