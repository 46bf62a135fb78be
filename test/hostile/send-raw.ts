import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What came back on a connection. */
export interface RawAnswer {
  readonly bytes: Buffer
  /** The server closed the connection. */
  readonly closed: boolean
}

/** Bytes, or a pause of so many milliseconds. */
export type RawStep = Buffer | number

/** How a connection is used. */
export interface RawOptions {
  /** End our side after the last byte. */
  readonly end?: boolean
  /** Break off after the last byte, and do not wait for an answer. */
  readonly reset?: boolean
  /** An answer is complete when nothing came for so long. */
  readonly quietMs?: number
  /** Give up after so long without any byte. */
  readonly patienceMs?: number
}

/** Sends bytes as they are and collects what comes back. */
export async function sendRaw(port: number, steps: readonly RawStep[], options: RawOptions = {}): Promise<RawAnswer> {
  const { end = false, reset = false, quietMs = 60, patienceMs = 3_000 } = options
  const chunks: Buffer[] = []
  let closed = false
  let lastByteAt = 0
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    lastByteAt = performance.now()
  })
  socket.on('error', () => (closed = true))
  socket.on('close', () => (closed = true))
  socket.on('end', () => (closed = true))
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  for (const step of steps) {
    if (closed) break
    if (typeof step === 'number') await sleep(step)
    else await written(socket, step)
  }
  if (reset) socket.resetAndDestroy()
  else {
    if (end) socket.end()
    const until = performance.now() + patienceMs
    while (!closed && performance.now() < until) {
      if (lastByteAt > 0 && performance.now() - lastByteAt > quietMs) break
      await sleep(5)
    }
  }
  const answer = { bytes: Buffer.concat(chunks), closed }
  socket.destroy()
  return answer
}

/** Waits until the bytes left, or the connection ended. */
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || bytes.length === 0) return resolve()
    const done = (): void => {
      socket.off('close', done)
      resolve()
    }
    socket.once('close', done)
    socket.write(bytes, done)
  })
}

/** One answer of HTTP/1.1. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answers in the bytes of a connection. A body that is cut off, or is no answer at all, shows as status 0. */
export function answersIn(bytes: Buffer): HttpAnswer[] {
  const answers: HttpAnswer[] = []
  for (let rest = bytes; rest.length > 0;) {
    const headEnd = rest.indexOf('\r\n\r\n')
    const head = rest.subarray(0, Math.max(0, headEnd)).toString('latin1')
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)
    if (headEnd < 0 || status === null) return [...answers, { status: 0, headers: {}, body: rest.toString('latin1') }]
    const headers = Object.fromEntries(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
        }),
    )
    const from = headEnd + 4
    const { body, end } = bodyFrom(rest, from, { status: Number(status[1]), headers })
    answers.push({ status: Number(status[1]), headers, body })
    rest = rest.subarray(end)
  }
  return answers
}

function bodyFrom(
  bytes: Buffer,
  from: number,
  { status, headers }: Omit<HttpAnswer, 'body'>,
): { readonly body: string; readonly end: number } {
  if (status < 200 || status === 204 || status === 304) return { body: '', end: from }
  if (headers['transfer-encoding'] !== 'chunked') {
    const length = Number(headers['content-length'] ?? bytes.length - from)
    return { body: bytes.subarray(from, from + length).toString('utf8'), end: from + length }
  }
  const parts: Buffer[] = []
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const length = lineEnd < 0 ? 0 : Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (!(length > 0))
      return { body: Buffer.concat(parts).toString('utf8'), end: lineEnd < 0 ? bytes.length : lineEnd + 4 }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = lineEnd + 4 + length
  }
}
