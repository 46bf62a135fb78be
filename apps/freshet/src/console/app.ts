import { once } from 'node:events'
import type { Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { createByteRoom } from '@freshet/service/byte-room'
import { bodyStatus, createHttpApp, type ConnectionFault } from '@freshet/service/http-app'
import { BodyError } from '@freshet/service/http-body'
import { hostNames, hostOf } from '@freshet/service/http-hosts'
import type { Metrics } from '@freshet/service/metrics'
import type { TlsServer } from '@freshet/service/tls'
import type { FastifyInstance } from 'fastify'
import { addConfig, configOf } from './config-route.ts'
import type { Demo } from './demo.ts'
import { addDemoRoutes } from './demo-routes.ts'
import { ConsoleError, errorAnswer, UpstreamRefusal } from './errors.ts'
import { addFeedRoutes } from './feed-routes.ts'
import { addSecurityHeaders } from './page/headers.ts'
import { addPage, type Page } from './page/routes.ts'
import type { AskUpstream } from './proxy/ask.ts'
import type { Forward } from './proxy/forward.ts'
import { addProxies } from './proxy/routes.ts'
import type { Upstreams } from './proxy/upstreams.ts'
import type { ConsoleConfig } from './settings.ts'

/** Dependencies and settings of the console. */
export interface ConsoleOptions {
  readonly access: Access
  readonly config: ConsoleConfig
  readonly version: string
  readonly upstreams: Upstreams
  readonly forward: Forward
  readonly ask: AskUpstream
  /** Adds further routes. */
  readonly more: readonly ((app: FastifyInstance) => void)[]
  /** The built page. It may take a moment, so requests wait for it. */
  readonly page: () => Promise<Page>
  /** Calls and pictures wait for it, while the page itself is served. Absent: the services run already. */
  readonly started?: Promise<void>
  /** How long a call waits for that before it is refused; default 8,000, which is less than pages wait. */
  readonly maxStartWaitMs?: number
  /** null: the data is not the sample. */
  readonly demo: Demo | null
  readonly metrics: Metrics
  readonly nowMs: () => number
  readonly onDefect: (error: unknown) => void
  /** How the server speaks TLS; null: it does not. */
  readonly tls: TlsServer | null
}

/** Bodies of the console's own calls. */
const maxOwnBodyBytes = 64 << 10
const statusOf: Readonly<Record<string, number>> = {
  CALL_INVALID_ARGUMENT: 400,
  PIN_UNKNOWN: 404,
  FEED_MISSING: 404,
  USER_UNKNOWN: 404,
  USER_ERASED: 410,
  CALL_DEADLINE_EXCEEDED: 504,
  CALL_UNAVAILABLE: 503,
}

/**
 * The console before it listens: a server for one web page, which passes the page's calls on to the services under its own name
 * and answers what only the page asks. Each call that it passes on is checked by the service; its own calls have rules here.
 */
export function createConsoleApp(options: ConsoleOptions): FastifyInstance {
  const { access, config, demo, upstreams, ask, nowMs, onDefect } = options
  const app = createHttpApp({
    name: 'console',
    limits: config,
    maxBodyBytes: maxOwnBodyBytes,
    room: createByteRoom(16 * maxOwnBodyBytes, nowMs),
    // Keys are for pages elsewhere, which have no business here.
    access: { ...access, origins: () => new Set() },
    hosts: config.hosts,
    origins: [],
    methods: [],
    answerTo: (fault) => JSON.stringify(errorAnswer(faults[fault])),
    metrics: options.metrics,
    tls: options.tls,
  })
  refuseOtherPages(app, config.hosts)
  addSecurityHeaders(app, config.imageOrigins)
  if (options.started !== undefined) waitForServices(app, options.started, options.maxStartWaitMs)
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof AccessError || error instanceof ConsoleError)
      return reply.code(error.httpStatus).send(errorAnswer(error))
    if (error instanceof UpstreamRefusal) return reply.code(error.status).send(error.body)
    if (error instanceof BodyError) {
      const { status, headers } = bodyStatus(error)
      const code = error.fault === 'no room' ? 'CALL_UNAVAILABLE' : 'CALL_INVALID_ARGUMENT'
      return reply
        .headers(headers)
        .code(status)
        .send(errorAnswer(new ContractError(code, `body: ${error.message}`)))
    }
    if (isContractError(error)) return reply.code(statusOf[error.code] ?? 500).send(errorAnswer(error))
    const { statusCode = 500, message } = error as { readonly statusCode?: number; readonly message: string }
    if (statusCode < 500)
      return reply.code(statusCode).send(errorAnswer(new ContractError('CALL_INVALID_ARGUMENT', message)))
    onDefect(error)
    return reply.code(500).send(errorAnswer(new ContractError('CALL_INTERNAL', 'a defect; the log has its trace')))
  })
  app.setNotFoundHandler((request, reply) => {
    const text = `there is no ${request.method} ${request.url.slice(0, 80)}`
    return reply.code(404).send(errorAnswer(new ConsoleError('CONSOLE_PATH_UNKNOWN', text)))
  })
  const page = configOf({
    ...{ open: access.open, version: options.version, upstreams, demo },
    imageOrigins: config.imageOrigins,
  })
  addConfig(app, page)
  addDemoRoutes(app, demo?.pictures ?? null)
  addFeedRoutes(app, { feeds: upstreams.feeds, ask, nowMs })
  for (const add of options.more) add(app)
  addPage(app, options.page, page)
  void app.register(async (scope) => addProxies(scope, upstreams, options.forward))
  return app
}

/**
 * Pages of other names may not use the console, not even where the browser does not ask first. It names their origin in requests that
 * may change something; for others, such as pictures, it says only that they come from another site.
 */
function refuseOtherPages(app: FastifyInstance, hosts: readonly string[]): void {
  const isOurs = hostNames(hosts)
  app.addHook('onRequest', ({ headers, routeOptions }, _reply, done) => {
    const { origin, 'sec-fetch-site': site } = headers
    const isForeign = site === 'cross-site' && routeOptions.url?.startsWith('/api/') === true
    if (!isForeign && (origin === undefined || isOurs(hostOf(origin)))) return done()
    const name = JSON.stringify((origin ?? 'another site').slice(0, 100))
    done(new AccessError('ACCESS_HOST_REFUSED', `a page of ${name} may not use the console; see its setting hosts`))
  })
}

/** Holds what needs a service until all run, or refuses it after a while: then the page says so, and asks again. */
function waitForServices(app: FastifyInstance, started: Promise<void>, maxWaitMs = 8_000): void {
  let isStarted = false
  void started.then(() => (isStarted = true))
  app.addHook('preValidation', async ({ routeOptions }) => {
    if (isStarted || routeOptions.url === '/*') return
    await Promise.race([started, once(AbortSignal.timeout(maxWaitMs), 'abort')])
    if (!isStarted) throw new ContractError('CALL_UNAVAILABLE', 'the services of this process are still starting.')
  })
}

const faults: Readonly<Record<ConnectionFault, ContractError>> = {
  malformed: new ContractError('CALL_INVALID_ARGUMENT', 'the request is not valid HTTP'),
  headers: new ContractError('CALL_INVALID_ARGUMENT', 'the headers are too large'),
  slow: new ContractError('CALL_DEADLINE_EXCEEDED', 'the request did not arrive in time'),
}
