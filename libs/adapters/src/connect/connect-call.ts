import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { ContractError } from '@freshet/contracts/errors'
import type { MethodCodecs } from '@freshet/contracts/ports/method'

/** How a message is written: https://connectrpc.com/docs/protocol. */
export type ConnectCodec = 'json' | 'proto'

/** Content types of unary requests and answers. */
export const contentTypes: Readonly<Record<ConnectCodec, string>> = {
  json: 'application/json',
  proto: 'application/proto',
}

/** The part of a request's headers that the protocol defines. */
export interface ConnectHeaders {
  readonly 'connect-protocol-version'?: string | string[] | undefined
  readonly 'connect-timeout-ms'?: string | string[] | undefined
}

/** The deadline of a call: what the client asks for, at most `maxMs`, else `defaultMs`. Throws CALL_INVALID_ARGUMENT for headers that the protocol does not allow. */
export function connectTimeoutMs(
  headers: ConnectHeaders,
  { defaultMs, maxMs }: { defaultMs: number; maxMs: number },
): number {
  const version = headers['connect-protocol-version']
  if (version !== undefined && version !== '1')
    throw invalid('connect-protocol-version', `is ${shown(version)}; give 1`)
  const timeout = headers['connect-timeout-ms']
  if (timeout === undefined) return defaultMs
  if (typeof timeout !== 'string' || !/^\d{1,10}$/.test(timeout))
    throw invalid('connect-timeout-ms', `is ${shown(timeout)}; give milliseconds of at most ten digits`)
  return Math.min(maxMs, Number(timeout))
}

/** Reads a request: the value of the JSON, or the bytes of the message. Throws CALL_INVALID_ARGUMENT if it is not a message. */
export function readRequest<Request>(
  { name, request }: MethodCodecs<Request, unknown>,
  codec: ConnectCodec,
  body: unknown,
): Request {
  try {
    if (codec === 'proto') return request.decode(body as Uint8Array)
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new TypeError('it is not an object')
    const message = request.fromJSON(body)
    checkTypes(body, message as object, '')
    return message
  } catch (error) {
    throw invalid('body', `is not a ${name}Request: ${(error as Error).message}`, error)
  }
}

/**
 * Throws a TypeError for a list, a message or a truth value of another type. The generated code takes a wrong list for an empty one: a
 * filter in it would be dropped without a word. It ignores unknown fields, as Connect servers do.
 */
function checkTypes(json: object, message: object, prefix: string): void {
  for (const [name, value] of Object.entries(json) as [string, unknown][]) {
    const field = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const read: unknown = Object.hasOwn(message, field) ? message[field as keyof typeof message] : undefined
    if (value === null || read === undefined) continue
    if (Array.isArray(read) && !Array.isArray(value)) throw new TypeError(`${prefix}${name} is not a list`)
    if (read instanceof Uint8Array && !isBase64(value))
      throw new TypeError(`${prefix}${name} is not base64, which bytes have in JSON`)
    if (Array.isArray(read)) checkElements(value as unknown[], read, `${prefix}${name}`)
    if (typeof read === 'boolean' && typeof value !== 'boolean')
      throw new TypeError(`${prefix}${name} is neither true nor false`)
    if (!isMessage(read)) continue
    if (!isMessage(value)) throw new TypeError(`${prefix}${name} is not an object`)
    checkTypes(value, read, `${prefix}${name}.`)
  }
}

function checkElements(json: readonly unknown[], messages: readonly unknown[], name: string): void {
  for (const [index, message] of messages.entries()) {
    if (!isMessage(message)) continue
    const given = json[index]
    if (!isMessage(given)) throw new TypeError(`${name}[${index}] is not an object`)
    checkTypes(given, message, `${name}[${index}].`)
  }
}

/** Standard or URL-safe base64, with or without padding: https://protobuf.dev/programming-guides/json/. */
function isBase64(value: unknown): boolean {
  return typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value)
}

function isMessage(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** The query of a GET request. */
export type ConnectQuery = Readonly<Record<string, string | string[] | undefined>>

/** Reads the message of a GET request. `maxBytes`: the most bytes of a message, unpacked. Throws CALL_INVALID_ARGUMENT. */
export function readQuery<Request>(
  method: MethodCodecs<Request, unknown>,
  query: ConnectQuery,
  maxBytes: number,
): { readonly request: Request; readonly codec: ConnectCodec } {
  const { connect, encoding: codec, message, base64, compression = 'identity' } = query
  if (connect !== undefined && connect !== 'v1') throw invalid('connect', `is ${shown(connect)}; give v1`)
  if (codec !== 'json' && codec !== 'proto') throw invalid('encoding', `is ${shown(codec)}; give json or proto`)
  if (typeof message !== 'string') throw invalid('message', 'is absent; give the message')
  const packed = Buffer.from(message, base64 === '1' ? 'base64url' : 'utf8')
  const bytes = compression === 'identity' || compression === '' ? packed : unpacked(compression, packed, maxBytes)
  return { request: readRequest(method, codec, codec === 'proto' ? bytes : parsed(bytes)), codec }
}

/** Writes an answer. Numbers that JSON does not have become strings, as proto3 JSON wants. */
export function writeResponse<Response>(
  { response }: Pick<MethodCodecs<unknown, Response>, 'response'>,
  codec: ConnectCodec,
  message: Response,
): Buffer {
  if (codec === 'proto') return Buffer.from(response.encode(message).finish())
  return Buffer.from(JSON.stringify(response.toJSON(message), finiteOrText))
}

/** Answers of fewer bytes are not worth packing. */
const leastGzipBytes = 1_024

/** Packs an answer if the client takes gzip. */
export function packed(
  body: Buffer,
  acceptEncoding: string | undefined,
): { readonly body: Buffer; readonly encoding: 'gzip' | null } {
  const takesGzip = /(^|[\s,])gzip($|[\s,;])/.test(acceptEncoding ?? '')
  return takesGzip && body.byteLength >= leastGzipBytes
    ? { body: gzipSync(body, { level: 1 }), encoding: 'gzip' }
    : { body, encoding: null }
}

function finiteOrText(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

const unpackings = new Map<string, (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer>([
  ['gzip', gunzipSync],
  ['zstd', zstdDecompressSync],
  ['br', brotliDecompressSync],
])

function unpacked(compression: string | string[], bytes: Buffer, maxBytes: number): Buffer {
  const unpack = unpackings.get(String(compression))
  if (unpack === undefined)
    throw invalid('compression', `is ${shown(compression)}; give ${[...unpackings.keys()].join(', ')}, or none`)
  try {
    return unpack(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    throw invalid('message', `is not ${String(compression)} of at most ${maxBytes} bytes`, error)
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw invalid('message', `is not JSON: ${(error as Error).message}`, error)
  }
}

function shown(value: string | string[] | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(String(value).slice(0, 40))
}

function invalid(field: string, problem: string, cause?: unknown): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field}: ${problem}`, { cause })
}
