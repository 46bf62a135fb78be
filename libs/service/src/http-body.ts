import type { IncomingHttpHeaders } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'
import type { Receiving } from './byte-room.ts'

/** Why the server could not read a body. */
export type BodyFault = 'malformed' | 'too deep' | 'too large' | 'encoding' | 'no room'

/** A body that the server could not read. The message continues a sentence that begins with "the body". */
export class BodyError extends Error {
  readonly fault: BodyFault
  constructor(fault: BodyFault, message: string) {
    super(message)
    this.name = 'BodyError'
    this.fault = fault
  }
}

/** How the byte room stops the reading of a body. Not a signal, which would cost more than the rest of the reading. */
export interface Eviction {
  /** Called when the request is evicted; null: nobody reads. */
  onEvicted: (() => void) | null
}

/** Options for reading a body. */
export interface BodyOptions {
  /** Maximum bytes, both as sent and, for a compressed body, unpacked. */
  readonly maxBytes: number
  readonly receiving: Receiving
  /** Ends the reading when the byte room evicts the request. */
  readonly eviction: Eviction
}

/** The accepted encodings, as the value of the header `accept-encoding`. */
export const acceptedEncodings = 'gzip, zstd, br, identity'

const firstBytes = 1_024
const noBytes = Buffer.alloc(0)

/** How a body is unpacked. */
interface Unpacking {
  readonly name: string
  readonly create: () => Transform
  /** Memory that unpacking needs besides its output. */
  readonly bytes: number
  /** Whether it keeps what it has unpacked, to copy from it: its window. */
  readonly hasWindow: boolean
}

/** 8 MiB, which is what every decoder must take: RFC 8878, 3.1.1.1.2. A frame can ask for much more. */
const maxZstdWindowLog = 23

const gzip: Unpacking = { name: 'gzip', create: createGunzip, bytes: 48 << 10, hasWindow: false }
const unpackings: ReadonlyMap<string, Unpacking> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  [
    'zstd',
    {
      name: 'zstd',
      create: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: maxZstdWindowLog } }),
      bytes: 192 << 10,
      hasWindow: true,
    },
  ],
  ['br', { name: 'brotli', create: createBrotliDecompress, bytes: 256 << 10, hasWindow: true }],
])

/**
 * Reads a body, plain or packed by gzip, zstd or brotli, and counts its bytes while it arrives. Rejects with a BodyError. It refuses a body as soon
 * as the unpacked bytes exceed `maxBytes`, and never unpacks it whole.
 */
export async function readBody(payload: Readable, headers: IncomingHttpHeaders, options: BodyOptions): Promise<Buffer> {
  const { maxBytes, receiving, eviction } = options
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const unpacking = unpackings.get(encoding) ?? null
  if (unpacking === null && encoding !== 'identity' && encoding !== '') {
    const given = JSON.stringify(encoding.slice(0, 40))
    throw new BodyError('encoding', `has the content encoding ${given}; send gzip, zstd, br, or none`)
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  if (unpacking !== null && !receiving.grow(unpacking.bytes)) throw noRoom()
  const copies = unpacking?.hasWindow === true ? 2 : 1

  // One buffer that grows, not a list of chunks: a million chunks of one byte would take a hundred times their size. The first chunk is
  // taken as it is, because most bodies have no other; one that was unpacked may be a small part of its memory.
  let buffer: Buffer = noBytes
  let bytes = 0
  const add = (chunk: Buffer): BodyError | null => {
    const needed = bytes + chunk.length
    if (needed > maxBytes) return tooLarge(maxBytes)
    if (bytes === 0 && unpacking === null) {
      if (!receiving.grow(chunk.length)) return noRoom()
      buffer = chunk
      bytes = needed
      return null
    }
    if (needed > buffer.length) {
      const capacity = Math.min(maxBytes, Math.max(needed, buffer.length * 2, firstBytes))
      if (!receiving.grow(copies * (capacity - buffer.length))) return noRoom()
      const larger = Buffer.allocUnsafe(capacity)
      buffer.copy(larger, 0, 0, bytes)
      buffer = larger
    }
    chunk.copy(buffer, bytes)
    bytes = needed
    return null
  }

  const unpacked = unpacking?.create() ?? null
  const source = unpacked ?? payload
  await new Promise<void>((resolve, reject) => {
    const end = (error: Error | null): void => {
      source.off('data', onData).off('end', onEnd)
      payload.off('error', onError).off('close', onClose)
      eviction.onEvicted = null
      if (unpacked !== null) {
        payload.unpipe(unpacked)
        unpacked.destroy()
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
    eviction.onEvicted = onEvicted
    if (unpacked === null) return
    unpacked.on('error', (error) => end(new BodyError('malformed', `is not ${unpacking?.name}: ${error.message}`)))
    payload.pipe(unpacked)
  })
  return buffer.subarray(0, bytes)
}

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('too large', `has more than ${maxBytes} bytes; send less at a time`)
}

function noRoom(): BodyError {
  return new BodyError('no room', 'was not taken: too many bytes are being received; send it again')
}
