import { ContractError } from './errors.ts'

/**
 * Headers of a message: short texts by name. Log records, requests on streams and calls carry them.
 * The log encodes a frozen object once, however many records share it.
 */
export type MessageHeaders = Readonly<Record<string, string>>

/** The names that this code base writes and reads. The log carries headers of other names and ignores them. */
export const headerNames = {
  /** The trace and span that caused this message: W3C Trace Context, version 00. */
  traceparent: 'traceparent',
  /** Vendor data of the tracing systems: W3C Trace Context. */
  tracestate: 'tracestate',
  /** Which service wrote the message, and its version: `event-ingest/0.1.0`. */
  origin: 'origin',
  /** The schema version of the message: `TopicSpec.schemaVersion` as a decimal number. */
  schema: 'schema',
  /** The record of another system's topic that this one was made from: `sourceHeader`. */
  source: 'source',
  /** `1`: the record repeats a board without its erased owner, so a change that came between counts more. */
  repeats: 'repeats',
} as const

/** A message carries at most this many headers. */
export const maxHeaders = 16
/** Names and values of one message's headers together take at most this many bytes as UTF-8. */
export const maxHeadersBytes = 2_048

/** No headers at all. */
export const noHeaders: MessageHeaders = Object.freeze({})

/** Throws HEADERS_TOO_LARGE when headers exceed `maxHeaders` or `maxHeadersBytes`. */
export function checkHeaders(headers: MessageHeaders): void {
  let count = 0
  let bytes = 0
  for (const name in headers) {
    count++
    bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '')
  }
  if (count > maxHeaders) {
    throw new ContractError('HEADERS_TOO_LARGE', `${count} headers are over the limit of ${maxHeaders}: send fewer`)
  }
  if (bytes > maxHeadersBytes) {
    throw new ContractError(
      'HEADERS_TOO_LARGE',
      `headers of ${bytes} bytes are over the limit of ${maxHeadersBytes}: send fewer or shorter ones`,
    )
  }
}
