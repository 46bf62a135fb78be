import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import * as blending from '@freshet/contracts/gen/freshet/blending/v1/blending'
import * as catalogue from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import * as engagement from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import * as ingest from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { z } from 'zod'

/** Bytes as a case writes them. A list is its parts one after the other. */
export type Piece =
  | string
  | readonly Piece[]
  | { readonly hex: string }
  | { readonly base64: string }
  | { readonly repeat: Piece; readonly times: number }
  | { readonly cut: Piece; readonly to: number }
  | { readonly flip: Piece; readonly at: number }
  | { readonly gzip: Piece }
  | { readonly zstd: Piece }
  | { readonly brotli: Piece }
  | { readonly deflate: Piece }
  | { readonly engagement: Readonly<Record<string, unknown>> }
  | { readonly engagements: number; readonly with?: Readonly<Record<string, unknown>> | undefined }
  | { readonly message: string; readonly value: Readonly<Record<string, unknown>> }
  | { readonly golden: string }
  | { readonly frame: Piece; readonly length?: number | undefined; readonly flag?: number | undefined }
  | {
      readonly http2: string
      readonly flags?: number | undefined
      readonly stream?: number | undefined
      readonly payload?: Piece | undefined
      readonly length?: number | undefined
    }

const fields = z.record(z.string(), z.unknown())

/** What `Piece` parses from. */
export const pieceSchema: z.ZodType<Piece> = z.lazy(() =>
  z.union([
    z.string(),
    z.array(pieceSchema),
    z.strictObject({ hex: z.string().regex(/^([0-9a-fA-F]{2}| )*$/) }),
    z.strictObject({ base64: z.string() }),
    z.strictObject({ repeat: pieceSchema, times: z.int().min(0) }),
    z.strictObject({ cut: pieceSchema, to: z.int() }),
    z.strictObject({ flip: pieceSchema, at: z.int().min(0) }),
    z.strictObject({ gzip: pieceSchema }),
    z.strictObject({ zstd: pieceSchema }),
    z.strictObject({ brotli: pieceSchema }),
    z.strictObject({ deflate: pieceSchema }),
    z.strictObject({ engagement: fields }),
    z.strictObject({ engagements: z.int(), with: fields.optional() }),
    z.strictObject({ message: z.string(), value: fields }),
    z.strictObject({ golden: z.string() }),
    z.strictObject({ frame: pieceSchema, length: z.int().optional(), flag: z.int().optional() }),
    z.strictObject({
      http2: z.enum(Object.keys(http2Types) as [string, ...string[]]),
      flags: z.int().optional(),
      stream: z.int().optional(),
      payload: pieceSchema.optional(),
      length: z.int().optional(),
    }),
  ]),
)

/** Types of HTTP/2 frames by name. */
const http2Types: Readonly<Record<string, number>> = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
  unknown: 200,
}

let made = 0
const run = process.pid.toString(36)

/** A valid engagement in JSON with an id of its own; `given` replaces fields. */
export function anEngagement(given: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    eventId: `h-${run}-${made++}`,
    userId: 'hostile-user',
    action: 'click',
    pinId: 'pin-1',
    occurredAt: new Date().toISOString(),
    ...given,
  }
}

/** The bytes of a piece. */
export function bytesOf(piece: Piece): Buffer {
  if (typeof piece === 'string') return Buffer.from(piece, 'utf8')
  if (isList(piece)) return Buffer.concat(piece.map(bytesOf))
  if ('hex' in piece) return Buffer.from(piece.hex.replaceAll(' ', ''), 'hex')
  if ('base64' in piece) return Buffer.from(piece.base64, 'base64')
  if ('repeat' in piece) return repeated(bytesOf(piece.repeat), piece.times)
  if ('cut' in piece) return bytesOf(piece.cut).subarray(0, piece.to)
  if ('flip' in piece) return flipped(bytesOf(piece.flip), piece.at)
  if ('gzip' in piece) return gzipSync(bytesOf(piece.gzip), { level: 9 })
  if ('zstd' in piece) return zstdCompressSync(bytesOf(piece.zstd))
  if ('brotli' in piece) return brotliCompressSync(bytesOf(piece.brotli), { params: {} })
  if ('deflate' in piece) return deflateSync(bytesOf(piece.deflate))
  if ('engagement' in piece) return Buffer.from(JSON.stringify(anEngagement(piece.engagement)))
  if ('engagements' in piece) {
    const list = Array.from({ length: piece.engagements }, () => anEngagement(piece.with))
    return Buffer.from(JSON.stringify({ engagements: list }))
  }
  if ('message' in piece)
    return Buffer.from(codecOf(piece.message).encode(codecOf(piece.message).fromJSON(piece.value)).finish())
  if ('golden' in piece) return goldenBytes(piece.golden)
  if ('frame' in piece) return framed(piece)
  return http2Frame(piece)
}

function isList(piece: Piece): piece is readonly Piece[] {
  return Array.isArray(piece)
}

function repeated(bytes: Buffer, times: number): Buffer {
  return bytes.length === 0 ? bytes : Buffer.alloc(bytes.length * times, bytes)
}

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes)
  if (at < other.length) other[at] = other[at]! ^ 0xff
  return other
}

/** A message of gRPC with the five bytes before it. */
function framed({ frame, length, flag = 0 }: Extract<Piece, { frame: Piece }>): Buffer {
  const bytes = bytesOf(frame)
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(length ?? bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function http2Frame({ http2, flags = 0, stream = 0, payload = '', length }: Extract<Piece, { http2: string }>): Buffer {
  const bytes = bytesOf(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(length ?? bytes.length, 0, 3)
  head[3] = http2Types[http2] ?? 0
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, bytes])
}

interface Codec {
  encode(message: unknown): { finish(): Uint8Array }
  fromJSON(value: unknown): unknown
}

/** A generated codec by the short name of its message. */
function codecOf(name: string): Codec {
  const found = { ...blending, ...catalogue, ...engagement, ...ingest }[name as 'PostEngagementsRequest'] as
    Codec | undefined
  if (found === undefined) throw new Error(`there is no message ${name}`)
  return found
}

/** The bytes of a message with every field set, from test/golden. */
function goldenBytes(name: string): Buffer {
  const file = join(import.meta.dirname, '../golden/messages', `${name}.json`)
  return Buffer.from((JSON.parse(readFileSync(file, 'utf8')) as { base64: string }).base64, 'base64')
}
