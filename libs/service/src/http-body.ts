import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Receiving } from './byte-room.ts'

/** Why the server could not read a body. */
export type BodyFault = 'malformed' | 'too large' | 'encoding' | 'no room'

/** A body that the server could not read. The message continues a sentence that begins with "the body". */
export class BodyError extends Error {
  readonly fault: BodyFault
  constructor(fault: BodyFault, message: string) {
    super(message)
    this.name = 'BodyError'
    this.fault = fault
  }
}

/** Options for reading a body. */
export interface BodyOptions {
  /** Maximum bytes, both as sent and, for a compressed body, unpacked. */
  readonly maxBytes: number
  readonly receiving: Receiving
  /** Aborts the reading: the byte room has evicted the request. */
  readonly evicted: AbortSignal
}

/** The accepted encodings, as the value of the header `accept-encoding`. */
export const acceptedEncodings = 'gzip, identity'

const firstBytes = 1_024
/** Memory that unpacking needs besides its output. */
const gunzipBytes = 48 << 10

/**
 * Reads a body, plain or gzip, and counts its bytes while it arrives. Rejects with a BodyError. It refuses a body as soon
 * as the unpacked bytes exceed `maxBytes`, and never unpacks it whole.
 */
export async function readBody(payload: Readable, headers: IncomingHttpHeaders, options: BodyOptions): Promise<Buffer> {
  const { maxBytes, receiving, evicted } = options
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const zipped = encoding === 'gzip' || encoding === 'x-gzip'
  if (!zipped && encoding !== 'identity' && encoding !== '') {
    const given = JSON.stringify(encoding.slice(0, 40))
    throw new BodyError('encoding', `has the content encoding ${given}; send gzip, or none`)
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  if (zipped && !receiving.grow(gunzipBytes)) throw noRoom()

  // One buffer that grows, not a list of chunks: a million chunks of one byte would take a hundred times their size.
  let buffer = Buffer.alloc(0)
  let bytes = 0
  const add = (chunk: Buffer): BodyError | null => {
    const needed = bytes + chunk.length
    if (needed > maxBytes) return tooLarge(maxBytes)
    if (needed > buffer.length) {
      const capacity = Math.min(maxBytes, Math.max(needed, buffer.length * 2, firstBytes))
      if (!receiving.grow(capacity - buffer.length)) return noRoom()
      const larger = Buffer.allocUnsafe(capacity)
      buffer.copy(larger, 0, 0, bytes)
      buffer = larger
    }
    chunk.copy(buffer, bytes)
    bytes = needed
    return null
  }

  const gunzip = zipped ? createGunzip() : null
  const source = gunzip ?? payload
  await new Promise<void>((resolve, reject) => {
    const end = (error: Error | null): void => {
      source.off('data', onData).off('end', onEnd)
      payload.off('error', onError).off('close', onClose)
      evicted.removeEventListener('abort', onEvicted)
      if (gunzip !== null) {
        payload.unpipe(gunzip)
        gunzip.destroy()
      }
      if (error === null) resolve()
      else reject(error)
    }
    const onData = (chunk: Buffer): void => {
      const error = add(chunk)
      if (error !== null) end(error)
    }
    const onEnd = (): void => end(null)
    const onError = (): void => end(new BodyError('malformed', 'was cut off'))
    const onClose = (): void => {
      if (!payload.readableEnded) onError()
    }
    const onEvicted = (): void => end(noRoom())
    source.on('data', onData).on('end', onEnd)
    payload.on('error', onError).on('close', onClose)
    evicted.addEventListener('abort', onEvicted)
    if (gunzip === null) return
    gunzip.on('error', (error) => end(new BodyError('malformed', `is not gzip: ${error.message}`)))
    payload.pipe(gunzip)
  })
  return buffer.subarray(0, bytes)
}

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('too large', `has more than ${maxBytes} bytes; send less at a time`)
}

function noRoom(): BodyError {
  return new BodyError('no room', 'was not taken: too many bytes are being received; send it again')
}
