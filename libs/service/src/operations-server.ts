import type { Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import type { CallRule } from '@freshet/access/rules'
import { createByteRoom } from './byte-room.ts'
import { BodyError } from './http-body.ts'
import { bodyStatus, createHttpApp, listen } from './http-app.ts'
import type { Metrics } from './metrics.ts'
import type { Health } from './service.ts'
import { httpSettings } from './settings.ts'
import type { TlsServer } from './tls.ts'
import { z } from 'zod'

/** Options of the operations server. */
export interface OperationsOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly name: string
  readonly version: string
  readonly liveness: () => Health
  readonly readiness: () => Health
  readonly metrics: Metrics
  /** Who may ask. Health and metrics are public, the rest is for admin keys. */
  readonly access: Access
  /** The configuration without secrets, from `redactConfig`. */
  readonly config: Readonly<Record<string, unknown>>
  /** More routes. The server reads them at every request, since a process adds routes while it starts. */
  readonly inspections?: () => readonly InspectionRoute[]
  /** Absent or null: the server speaks no TLS. */
  readonly tls?: TlsServer | null
}

/** A route that shows one object, e.g. `/v1/users/{id}/state`, or changes one. */
export interface InspectionRoute {
  readonly path: string
  /** `PUT`: the route changes something. Default: `GET`. */
  readonly method?: 'GET' | 'PUT'
  /** Returns the body. An error's `fault` and `code` decide the status and body of the answer. `body`: the JSON of the request; undefined: it has none. */
  readonly answer: (
    id: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    body: unknown,
  ) => Promise<unknown>
}

/** A running operations server. */
export interface OperationsServer {
  readonly port: number
  close(): Promise<void>
}

/** How long an answer may take. Some routes read a partition of the log. */
const inspectionTimeoutMs = 30_000
/** Maximum number of requests that the server answers at the same time. It refuses more. */
const maxInspections = 16
/** The bodies that routes take are small. */
const maxBytes = 1_024
const limits = z.object(httpSettings(0)).parse({ maxConnections: 256, maxConnectionsPerAddress: 128 })

const anybody: CallRule = { rule: 'public' }
const admins: CallRule = { rule: 'admin' }

/** The operations server before it listens: `/livez`, `/readyz` (200 or 503 with the reasons), `/metrics`, `/configz`, and what `inspections` adds. */
export function createOperationsApp(options: Omit<OperationsOptions, 'host' | 'port'>) {
  const app = createHttpApp({
    name: 'operations',
    limits,
    maxBodyBytes: maxBytes,
    room: createByteRoom(maxBytes, () => performance.now()),
    access: options.access,
    origins: [],
    methods: ['GET', 'PUT'],
    answerTo: (fault) => JSON.stringify({ error: fault === 'slow' ? 'did not arrive in time' : 'is not valid HTTP' }),
    metrics: options.metrics,
    tls: options.tls ?? null,
  })
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof BodyError) {
      const { status, headers } = bodyStatus(error)
      const message = `body: ${error.message}`
      return reply
        .code(status)
        .headers(headers)
        .send({ error: { code: 'CALL_INVALID_ARGUMENT', message } })
    }
    if (!(error instanceof AccessError)) throw error
    return reply.code(error.httpStatus).send({ error: { code: error.code, message: error.message } })
  })
  const health = (ask: () => Health) => async () => {
    const health = ask()
    return { statusCode: health.ok ? 200 : 503, body: { name: options.name, version: options.version, ...health } }
  }
  for (const [path, ask] of [
    ['/livez', health(options.liveness)],
    ['/readyz', health(options.readiness)],
  ] as const) {
    app.get(path, { config: { access: anybody } }, async (_request, reply) => {
      const { statusCode, body } = await ask()
      return reply.code(statusCode).send(body)
    })
  }
  app.get('/metrics', { config: { access: anybody } }, async ({ headers }, reply) => {
    const { contentTypes, openMetrics, text } = options.metrics
    // Prometheus asks for OpenMetrics by default.
    return headers.accept?.includes('application/openmetrics-text') === true
      ? reply.header('content-type', contentTypes.openMetrics).send(await openMetrics())
      : reply.header('content-type', contentTypes.text).send(await text())
  })
  app.get('/configz', { config: { access: admins } }, async () => options.config)
  let underWay = 0
  app.route<{ Params: { '*': string }; Querystring: Readonly<Record<string, string>> }>({
    method: ['GET', 'PUT'],
    url: '/v1/*',
    config: { access: admins },
    handler: async (request, reply) => {
      const routes = (options.inspections?.() ?? []).filter(({ method = 'GET' }) => method === request.method)
      const found = routes.flatMap((route) => {
        const id = idIn(route.path, request.url.split('?')[0] ?? '')
        return id === null ? [] : [{ route, id }]
      })[0]
      if (found === undefined) {
        const paths = routes.map(({ path }) => path).join(', ')
        const message = `there is no route ${request.url.slice(0, 200)}; the routes are ${paths === '' ? 'none (yet)' : paths}`
        return reply.code(404).send({ error: { code: 'ROUTE_UNKNOWN', message } })
      }
      if (underWay >= maxInspections) {
        const message = `${maxInspections} requests are in progress already; try again`
        return reply
          .code(503)
          .header('retry-after', '1')
          .send({ error: { code: 'CALL_UNAVAILABLE', message } })
      }
      underWay++
      try {
        const signal = AbortSignal.timeout(inspectionTimeoutMs)
        return await found.route.answer(found.id, request.query, signal, request.body ?? undefined)
      } catch (error) {
        const { status, body } = problemOf(error)
        return await reply.code(status).send(body)
      } finally {
        underWay--
      }
    },
  })
  return app
}

/** The decoded `{id}` of a path; empty if the path has none; null: the path does not match. */
function idIn(path: string, asked: string): string | null {
  const wanted = path.split('/')
  const given = asked.split('/')
  if (wanted.length !== given.length) return null
  let id = ''
  for (const [at, part] of wanted.entries()) {
    const is = given[at] ?? ''
    if (part !== '{id}' && part !== is) return null
    if (part !== '{id}') continue
    try {
      id = decodeURIComponent(is)
    } catch {
      return null
    }
  }
  return id
}

function problemOf(error: unknown): { readonly status: number; readonly body: unknown } {
  const { name, code, fault, message } = error as Error & { readonly code?: unknown; readonly fault?: unknown }
  if (name === 'TimeoutError') {
    return { status: 503, body: { error: { code: 'CALL_DEADLINE_EXCEEDED', message: 'the answer took too long' } } }
  }
  const status =
    code === 'CALL_INVALID_ARGUMENT' || code === 'LOG_LEVEL_INVALID'
      ? 400
      : code === 'USER_ERASED'
        ? 410
        : fault === 'client'
          ? 404
          : fault === 'dependency'
            ? 503
            : 500
  return { status, body: { error: { code: typeof code === 'string' ? code : 'CALL_INTERNAL', message } } }
}

/** Listens on its own port, separate from traffic. Throws PORT_IN_USE or LISTEN_FAILED. */
export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const app = createOperationsApp(options)
  return {
    port: await listen(app, options.host, options.port),
    close: () => app.close(),
  }
}
