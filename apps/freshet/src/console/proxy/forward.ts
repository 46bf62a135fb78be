import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Transform, type Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ConsoleError } from '../errors.ts'
import { answeredHeaders, sentHeaders } from './headers.ts'
import type { Connections, Upstream } from './upstreams.ts'

/** Passes a request on to an upstream and its answer back. Throws a ConsoleError if there is no answer. */
export type Forward = (
  to: Upstream,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply>

/** Bounds of what is passed on. */
export interface ForwardLimits {
  readonly maxBodyBytes: number
  /** An upstream may be silent for this long. */
  readonly timeoutMs: number
}

/**
 * Passes requests on. Bodies and answers are streams, so that the memory does not depend on their size. An answer that breaks off
 * breaks the connection to the page off, too, because its status has been sent already.
 */
export function createForward(connections: Connections, limits: ForwardLimits): Forward {
  return async (to, path, request, reply) => {
    const answer = await ask(connections, limits, { to, path, request, reply })
    return reply
      .code(answer.statusCode ?? 502)
      .headers(answeredHeaders(answer.headers))
      .send(answer)
  }
}

interface Asked {
  readonly to: Upstream
  readonly path: string
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

function ask(
  connections: Connections,
  { maxBodyBytes, timeoutMs }: ForwardLimits,
  { to, path, request, reply }: Asked,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${to.url}${path}`)
    const isTls = url.protocol === 'https:'
    const sending = (isTls ? httpsRequest : httpRequest)(url, {
      method: request.method,
      headers: sentHeaders(request.headers, request.raw.socket.remoteAddress ?? ''),
      agent: isTls ? connections.https : connections.http,
      timeout: timeoutMs,
    })
    const onGone = (): void => {
      if (!reply.raw.writableEnded) sending.destroy()
    }
    reply.raw.once('close', onGone)
    sending.once('response', resolve)
    sending.once('timeout', () => {
      const text = `${to.name} (${to.url}) was silent for ${timeoutMs} ms`
      sending.destroy(new ConsoleError('CONSOLE_SERVICE_SLOW', text, { service: to.name }))
    })
    sending.once('error', (error) => {
      reject(error instanceof ConsoleError ? error : downError(to, error))
    })
    const body = request.body as Readable | undefined
    if (body === undefined) {
      sending.end()
      return
    }
    const counted = counter(maxBodyBytes, sending.destroy.bind(sending))
    body.once('error', (error) => sending.destroy(error))
    body.pipe(counted).pipe(sending)
  })
}

/** The error of an upstream that does not answer. */
export function downError({ name, url }: Upstream, error: unknown): ConsoleError {
  const { code, message } = error as NodeJS.ErrnoException
  const why = code ?? message
  return new ConsoleError('CONSOLE_SERVICE_DOWN', `${name} (${url}) does not answer: ${why}`, {
    service: name,
    cause: error,
  })
}

/** Passes bytes through, and ends with CONSOLE_BODY_TOO_LARGE beyond a number of them. */
function counter(maxBytes: number, onTooLarge: (error: Error) => void): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxBytes) return done(null, chunk)
      onTooLarge(new ConsoleError('CONSOLE_BODY_TOO_LARGE', `the request is larger than ${maxBytes} bytes`))
    },
  })
}
