import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { ByteRoom, Receiving } from './byte-room.ts'
import { allowOrigins } from './cors.ts'
import { listenError } from './errors.ts'
import { acceptedEncodings, BodyError, readBody } from './http-body.ts'
import { createConnections } from './http-connections.ts'
import { parseJsonBody } from './json-body.ts'
import type { Metrics } from './metrics.ts'
import type { HttpLimits } from './settings.ts'

/** How an HTTP server is made. */
export interface HttpAppOptions {
  /** Names the server in metrics. */
  readonly name: string
  readonly limits: HttpLimits
  readonly maxBodyBytes: number
  /** Where the bytes of bodies count while they are received. */
  readonly room: ByteRoom
  /** Origins of web pages that may use it, and the methods that they may use. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** The body of the answer to what is not HTTP (`malformed`), or did not arrive in time (`slow`). */
  readonly answerTo: (fault: 'malformed' | 'slow') => string
  readonly metrics: Metrics
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body that was received, and still counts; null: there is none. */
    received: Receiving | null
    /** What the body weighed, once it was read and unpacked. */
    bodyBytes: number
  }
}

/** How often Node looks for requests that take too long. */
const checkEveryMs = 500

/**
 * An HTTP JSON server before it has routes and listens. It takes JSON, plain or gzip; bounds bodies in bytes and in time
 * and connections in number; forbids caches to keep answers; and stops within a second of the last answer, whatever its
 * clients do. Bodies that cannot be read reach the error handler as BodyErrors.
 */
export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const { name, limits, metrics } = options
  const closed = metrics.counter('freshet_http_connections_closed_total')
  const connections = createConnections(limits, (reason) => closed.inc({ server: name, reason }))
  const count = metrics.gauge('freshet_http_connections')
  metrics.beforeScrape(() => {
    count.set({ server: name }, connections.size())
  })

  const app = fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    routerOptions: { maxParamLength: 4_096 },
    serverFactory: (handler) => {
      const server = createServer(
        {
          headersTimeout: limits.maxReceiveMs,
          requestTimeout: limits.maxReceiveMs,
          keepAliveTimeout: limits.maxIdleMs,
          connectionsCheckingInterval: checkEveryMs,
        },
        handler,
      )
      connections.watch(server)
      return server
    },
    clientErrorHandler: (error, socket) => {
      const slow = (error as { code?: string }).code === 'ERR_HTTP_REQUEST_TIMEOUT'
      const answer = rawAnswer(
        slow ? '408 Request Timeout' : '400 Bad Request',
        options.answerTo(slow ? 'slow' : 'malformed'),
      )
      // An answer that has begun already must not get a second one into it.
      if (hasBegun(socket)) socket.destroy()
      else if (slow) connections.timedOut(socket, answer)
      else connections.end(socket, answer)
    },
  })

  app.decorateRequest('received', null)
  app.decorateRequest('bodyBytes', 0)
  app.addHook('onRequest', async (request, reply) => {
    connections.set(request.raw.socket, 'receiving')
    reply.header('cache-control', 'no-store')
    reply.raw.once('close', () => request.received?.end())
  })
  allowOrigins(app, options)
  app.addHook('preValidation', async (request) => {
    connections.set(request.raw.socket, 'answering')
  })
  app.addHook('onSend', async (request) => {
    connections.set(request.raw.socket, 'sending')
  })
  app.addHook('onResponse', async (request) => {
    connections.set(request.raw.socket, 'idle')
  })
  app.addHook('preClose', async () => {
    connections.close()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (request: FastifyRequest) => {
    const { maxBodyBytes: maxBytes, room } = options
    const evicted = new AbortController()
    const receiving = room.receive(() => {
      evicted.abort()
    })
    request.received = receiving
    const bytes = await readBody(request.raw, request.headers, { maxBytes, receiving, evicted: evicted.signal })
    request.bodyBytes = bytes.length
    return request.method === 'DELETE' ? undefined : parseJsonBody(bytes)
  })
  return app
}

/** Listens; the port is the one given or, with 0, the one the system chose. Throws PORT_IN_USE or LISTEN_FAILED. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw listenError(error, host, port)
  }
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** The status of a body that cannot be read, and the header that says what can be. */
export function bodyStatus({ fault }: BodyError): {
  readonly status: number
  readonly headers: Record<string, string>
} {
  switch (fault) {
    case 'too large':
      return { status: 413, headers: {} }
    case 'encoding':
      return { status: 415, headers: { 'accept-encoding': acceptedEncodings } }
    case 'no room':
      return { status: 503, headers: {} }
    case 'malformed':
      return { status: 400, headers: {} }
  }
}

function rawAnswer(status: string, body: string): string {
  const headers = [
    'content-type: application/json',
    'cache-control: no-store',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return `HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`
}

function hasBegun(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as unknown as { _httpMessage?: { headersSent?: boolean } | null }
  return answer?.headersSent === true
}
