import { Transform, type Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ConsoleError } from '../errors.ts'
import { callUpstream } from './call.ts'
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
export function createForward(connections: Connections, { maxBodyBytes, timeoutMs }: ForwardLimits): Forward {
  return async (to, path, request, reply) => {
    const body = request.body as Readable | undefined
    const answer = await callUpstream(connections, to, {
      method: request.method,
      path,
      headers: sentHeaders(request.headers, {
        peer: request.raw.socket.remoteAddress ?? '',
        hasBody: body !== undefined,
      }),
      body: body === undefined ? null : body.pipe(counter(maxBodyBytes)),
      timeoutMs,
      signal: goneSignal(reply),
    })
    return reply
      .code(answer.statusCode ?? 502)
      .headers(answeredHeaders(answer.headers))
      .send(answer)
  }
}

/** Aborts when the page has gone before it had its answer. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (!raw.writableEnded) gone.abort()
  })
  return gone.signal
}

/** Passes bytes through, and fails with CONSOLE_BODY_TOO_LARGE beyond a number of them. */
function counter(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxBytes) done(null, chunk)
      else done(new ConsoleError('CONSOLE_BODY_TOO_LARGE', `the request is larger than ${maxBytes} bytes`))
    },
  })
}
