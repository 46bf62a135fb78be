import { createHash } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { ByteRoom, Receiving } from './byte-room.ts'
import { allowOrigins } from './cors.ts'
import { listenError } from './errors.ts'
import { addHttpAccess } from './http-access.ts'
import { acceptedEncodings, BodyError, readBody, type Eviction } from './http-body.ts'
import { createConnections, type Connections } from './http-connections.ts'
import { checkHosts, hostNames } from './http-hosts.ts'
import { parseJsonBody } from './json-body.ts'
import type { Metrics } from './metrics.ts'
import type { HttpLimits } from './settings.ts'
import type { TlsServer } from './tls.ts'

/** Settings and dependencies of an HTTP server. */
export interface HttpAppOptions {
  /** Name of the server in metrics. */
  readonly name: string
  readonly limits: HttpLimits
  readonly maxBodyBytes: number
  /** Counts the bytes of bodies while they arrive. */
  readonly room: ByteRoom
  /** Who may send requests. Every route needs a rule (`config.access`); adding one without throws. */
  readonly access: Access
  /** Which server serves admin calls, if this one does not, e.g. `admin port 8081`. Absent: this one serves them. */
  readonly adminCallsAt?: string
  /** Names for which the server answers besides those of this machine. Absent: an open process answers for those of this machine if it is for this machine only, and any process else for all. */
  readonly hosts?: readonly string[]
  /** Origins of web pages that may use the server besides those of keys, and the methods that they may use. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Returns the body of the answer to a request that is not HTTP (`malformed`), whose headers are too large (`headers`), or that did not arrive in time (`slow`). */
  readonly answerTo: (fault: ConnectionFault) => string
  readonly metrics: Metrics
  /** Absent or null: the server speaks no TLS. */
  readonly tls?: TlsServer | null
}

/** Why a server answers a connection before there is a request. */
export type ConnectionFault = 'malformed' | 'headers' | 'slow'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body while its bytes count; null: the request has no body. */
    received: Receiving | null
    /** Size of the body after unpacking. */
    bodyBytes: number
  }
  interface FastifyContextConfig {
    /** The handler gets the bytes of the body and parses them itself. */
    keepsBytes?: boolean
  }
  interface FastifyInstance {
    /** Throws ACCESS_OPEN_REFUSED if the server must not listen on an address. */
    checkListening(host: string): void
  }
}

/** How often Node checks for requests that take too long. */
const checkEveryMs = 500

/**
 * An HTTP JSON server without routes that does not listen yet. It accepts JSON, plain or gzipped. It bounds the size and the
 * duration of bodies and the number of connections, forbids caches to keep answers, and stops within a second of the last
 * answer, whatever its clients do. The error handler gets bodies that cannot be read as BodyErrors.
 */
export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const { limits } = options
  const connections = createCountedConnections(options)
  const app = fastify({
    logger: false,
    // A request that arrives during the stop is answered as any other: a 503 would lose nothing, but make clients wait and count as a failure.
    return503OnClosing: false,
    bodyLimit: options.maxBodyBytes,
    routerOptions: { maxParamLength: 4_096 },
    serverFactory: (handler) => {
      const timeouts = {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.maxReceiveMs,
        requestTimeout: limits.maxReceiveMs,
        keepAliveTimeout: limits.maxIdleMs,
        connectionsCheckingInterval: checkEveryMs,
      }
      const server = createBareServer(timeouts, handler, options)
      connections.watch(server)
      return server
    },
    clientErrorHandler: (error, socket) => {
      answerClientError(error, socket, { connections, answerTo: options.answerTo })
    },
  })
  app.decorateRequest('received', null)
  app.decorateRequest('bodyBytes', 0)
  app.decorate('checkListening', options.access.checkListening)
  addConnectionHooks(app, connections, options)
  addAccess(app, options)
  addJsonParser(app, options)
  return app
}

/** A server by TLS or without. A connection by TLS counts as one that receives until its handshake is done. */
function createBareServer(
  timeouts: Parameters<typeof createServer>[0] & object,
  handler: RequestListener,
  { limits, tls = null }: Pick<HttpAppOptions, 'limits' | 'tls'>,
): Server {
  if (tls === null) return createServer(timeouts, handler)
  const { requestCert, rejectUnauthorized, context, onChange } = tls
  const own = { requestCert, rejectUnauthorized, handshakeTimeout: limits.maxReceiveMs, ...context() }
  const server = createTlsServer({ ...timeouts, ...own }, handler)
  server.once(
    'close',
    onChange((next) => server.setSecureContext(next)),
  )
  return server
}

/** Connections that show in the metrics. */
function createCountedConnections({ name, limits, metrics }: HttpAppOptions): Connections {
  const closed = metrics.counter('freshet_http_connections_closed_total')
  const connections = createConnections(limits, (reason) => closed.inc({ server: name, reason }))
  const count = metrics.gauge('freshet_http_connections')
  metrics.beforeScrape(() => {
    count.set({ server: name }, connections.size())
  })
  return connections
}

/** Answers a connection whose request is not valid HTTP or did not arrive in time. */
function answerClientError(
  error: { readonly code?: string },
  socket: Socket,
  { connections, answerTo }: Pick<HttpAppOptions, 'answerTo'> & { readonly connections: Connections },
): void {
  // A TLS connection whose handshake failed cannot take an answer.
  if (!connections.has(socket)) {
    socket.destroy()
    return
  }
  const fault = faultOf(error.code)
  const slow = fault === 'slow'
  const answer = formatAnswer(statusLines[fault], answerTo(fault))
  // A second answer must not be written into one that has begun.
  if (hasBegun(socket)) socket.destroy()
  else if (slow) connections.timedOut(socket, answer)
  else connections.end(socket, answer)
}

const statusLines: Readonly<Record<ConnectionFault, string>> = {
  malformed: '400 Bad Request',
  headers: '431 Request Header Fields Too Large',
  slow: '408 Request Timeout',
}

function faultOf(code: string | undefined): ConnectionFault {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'slow'
  return code === 'HPE_HEADER_OVERFLOW' ? 'headers' : 'malformed'
}

/** Tells the connections what each request is doing. */
function addConnectionHooks(app: FastifyInstance, connections: Connections, options: HttpAppOptions): void {
  // Hooks with `done`, because fastify waits a turn for the promise of each that is async.
  app.addHook('onRequest', (request, reply, done) => {
    connections.set(request.raw.socket, 'receiving')
    reply.header('cache-control', 'no-store')
    reply.raw.once('close', () => request.received?.end())
    done()
  })
  // CORS answers preflight requests, so its hook comes between the two.
  allowOrigins(app, { ...options, keyOrigins: options.access.open ? null : options.access.origins })
  app.addHook('preValidation', (request, _reply, done) => {
    connections.set(request.raw.socket, 'answering')
    done()
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    connections.set(request.raw.socket, 'sending')
    done(null, payload)
  })
  app.addHook('onResponse', (request, _reply, done) => {
    connections.set(request.raw.socket, 'idle')
    done()
  })
  app.addHook('preClose', async () => {
    connections.close()
  })
}

/** Checks callers, and counts the requests that it refuses. */
function addAccess(app: FastifyInstance, { name, access, adminCallsAt, hosts, metrics }: HttpAppOptions): void {
  const refused = metrics.counter('freshet_access_refused_total')
  const onRefused = (code: string): void => {
    refused.inc({ server: name, code })
    access.refused(name, code)
  }
  if (access.loopbackOnly || hosts !== undefined) checkHosts(app, hostNames(hosts ?? []), onRefused)
  addHttpAccess(app, {
    name,
    access,
    onRefused,
    ...(adminCallsAt !== undefined && { adminCallsAt }),
  })
}

/** Makes JSON the only content type. */
function addJsonParser(app: FastifyInstance, options: HttpAppOptions): void {
  app.removeAllContentTypeParsers()
  addBodyParser(app, 'application/json', options, (bytes, { routeOptions }) =>
    routeOptions.config.keepsBytes === true ? bytes : parseJsonBody(bytes, options.limits.maxJsonDepth),
  )
}

/** Reads bodies of a content type in `app` or in a scope of it, and counts their bytes while they arrive. */
export function addBodyParser(
  app: FastifyInstance,
  contentType: string | RegExp,
  { maxBodyBytes: maxBytes, room }: Pick<HttpAppOptions, 'maxBodyBytes' | 'room'>,
  parse: (bytes: Buffer, request: FastifyRequest) => unknown,
): void {
  app.addContentTypeParser(contentType, async (request: FastifyRequest) => {
    // Nobody has to show a key for an unknown path, so a process with keys reads nothing for it.
    if (request.is404 && request.caller.kind !== 'open') return undefined
    const eviction: Eviction = { onEvicted: null }
    const receiving = room.receive(() => {
      eviction.onEvicted?.()
    })
    request.received = receiving
    const signed = request.unchecked === null ? null : createHash('sha256')
    if (signed !== null) request.raw.on('data', (chunk: Buffer) => signed.update(chunk))
    const bytes = await readBody(request.raw, request.headers, { maxBytes, receiving, eviction })
    request.bodyBytes = bytes.length
    if (signed !== null) request.checkSignature(signed.digest('hex'))
    return request.method === 'DELETE' ? undefined : parse(bytes, request)
  })
}

/** Starts to listen. Returns the given port or, for 0, the port that the system chose. Throws PORT_IN_USE, LISTEN_FAILED or ACCESS_OPEN_REFUSED. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    app.checkListening(host)
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    if (error instanceof AccessError) throw error
    throw listenError(error, host, port)
  }
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** The status of the answer to a body that cannot be read; for 415 also the header with the supported encodings. */
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
    case 'too deep':
      return { status: 400, headers: {} }
  }
}

function formatAnswer(status: string, body: string): string {
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
