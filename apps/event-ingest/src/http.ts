import type { Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import { ingestRules } from '@freshet/adapters/access/ingest-rules'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import type { PlainEngagements } from '@freshet/contracts/bytes/plain-engagements'
import { contentTypes } from '@freshet/adapters/connect/connect-call'
import { isJsonObject, isDeeperThan, maxJsonDepth, kindOf } from '@freshet/contracts/json/fields'
import { readPlainEngagements } from '@freshet/contracts/json/plain-reader'
import { ingestProblems, problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime, parseTime, timeFault } from '@freshet/contracts/json/time'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { addBodyParser, bodyStatus, createHttpApp as createApp, type ConnectionFault } from '@freshet/service/http-app'
import { httpSource } from '@freshet/service/http-source'
import { BodyError } from '@freshet/service/http-body'
import { parseJsonBody } from '@freshet/service/json-body'
import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { HttpLimits } from '@freshet/service/settings'
import type { TlsServer } from '@freshet/service/tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestConfig } from './config.ts'
import { addBulkEntries } from './bulk-entries.ts'
import { addConnectRoutes } from './connect.ts'
import type { Connectors } from './connectors/connectors.ts'
import { addConnectorRoutes } from './connectors/http-routes.ts'
import { clockOffsetFault, type ClientClock } from './event-time.ts'
import type { IngestCall } from './append.ts'
import type { Answer, Ingest } from './ingest.ts'
import { entryKinds, type EntryKind } from './entries.ts'
import { handOver } from './hand-over.ts'
import { readMergeBody } from './merge-users.ts'
import { plainReceipts } from './plain-answer.ts'
import type { PlainAnswer } from './plain-batch.ts'
import { openApi } from './openapi.ts'
import { problemOf, problemOfError, retryAfter } from './request-problems.ts'

/** Dependencies and settings of the HTTP server. */
export interface HttpOptions {
  readonly ingest: Ingest
  readonly access: Access
  /** Which server serves admin calls, if this one does not, e.g. `admin port 8081`. Absent: this one serves them. */
  readonly adminCallsAt?: string
  /** Absent: the routes for events of other systems do not exist. */
  readonly connectors?: Connectors
  readonly clock: Clock
  readonly config: IngestConfig
  readonly limits: HttpLimits
  readonly origins: readonly string[]
  readonly metrics: Metrics
  readonly report: Report
  /** Absent or null: the server speaks no TLS. */
  readonly tls?: TlsServer | null
}

/** The content of a body. */
interface Events {
  readonly events: readonly unknown[]
  readonly single: boolean
  /** The fields beside the list of events. */
  readonly about: Readonly<Record<string, unknown>>
}

/**
 * The HTTP server before it listens: `POST /v1/engagements`, `POST /v1/pins`, `/v1/creators` and `/v1/boards`, each with `/bulk`, `POST /v1/users/{id}/merge`,
 * `DELETE /v1/users/{id}`, and the calls of `EventIngest` by the Connect protocol. It translates between JSON and `Ingest`.
 */
export function createHttpApp(options: HttpOptions): FastifyInstance {
  const { ingest, config, report } = options
  const requests = options.metrics.counter('freshet_ingest_requests_total')
  const app = createApp({
    name: 'ingest',
    limits: options.limits,
    maxBodyBytes: config.maxBodyBytes,
    room: ingest.inFlight,
    access: options.access,
    ...(options.adminCallsAt !== undefined && { adminCallsAt: options.adminCallsAt }),
    origins: options.origins,
    methods: ['POST', 'DELETE'],
    answerTo: (fault) => errorBody(faults[fault]),
    metrics: options.metrics,
    tls: options.tls ?? null,
  })

  const refuse = (reply: FastifyReply, problem: IngestProblem): FastifyReply => {
    const { status, retryable } = ingestProblems[problem.code]
    requests.inc({ protocol: 'http', outcome: problem.code })
    if (retryable) reply.header('retry-after', String(retryAfter(problem, config)))
    return reply.code(status).type('application/json').send(errorBody(problem))
  }
  const answer = (reply: FastifyReply, result: Answer): FastifyReply => {
    if (result.kind === 'refused') return refuse(reply, result.problem)
    const outcome = result.accepted > 0 ? 'accepted' : 'rejected'
    requests.inc({ protocol: 'http', outcome })
    return reply
      .code(outcome === 'accepted' ? 202 : 400)
      .type('application/json')
      .send(answerBody(result))
  }
  const acceptedRequests = requests.labels({ protocol: 'http', outcome: 'accepted' })
  const answerPlain = (reply: FastifyReply, engagements: PlainEngagements, result: PlainAnswer): FastifyReply => {
    if (result.kind === 'refused') return refuse(reply, result.problem)
    acceptedRequests.inc()
    const receipts = plainReceipts(engagements, result.positions, result.log)
    const counts = `{"accepted":${engagements.count},"rejected":0,"receipts":`
    return reply
      .code(202)
      .type('application/json')
      .send(`${counts}${receipts},${aboutAnswer(result)}`)
  }
  const accepted = (reply: FastifyReply, body: object): FastifyReply => {
    requests.inc({ protocol: 'http', outcome: 'accepted' })
    return reply.code(202).send(body)
  }

  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AccessError) {
      requests.inc({ protocol: 'http', outcome: error.code })
      return reply.code(error.httpStatus).type('application/json').send(accessBody(error))
    }
    const problem = problemOfError(error, request, 'application/json')
    if (error instanceof BodyError) reply.headers(bodyStatus(error).headers)
    if (problem.code === 'INGEST_INTERNAL') report(error, { part: 'http', outcome: 'defect' })
    return refuse(reply, problem)
  })
  app.setNotFoundHandler((request, reply) => {
    const text =
      'does not exist; there are GET /openapi.json, POST /v1/engagements, POST /v1/pins, POST /v1/pins/bulk, the same for creators and boards, POST /v1/users/{id}/merge, DELETE /v1/users/{id}, POST /v1/cloudevents, POST /v1/segment/v1/CALL and, by the Connect protocol, POST /freshet.ingest.v1.EventIngest/METHOD'
    return refuse(reply, problemOf(`${request.method} ${request.url.slice(0, 80)}`, 'ROUTE_UNKNOWN', text))
  })
  addEngagements(app, options, { refuse, answer, accepted, answerPlain })
  addRoutes(app, ingest, { refuse, answer, accepted })
  const { connectors } = options
  if (connectors !== undefined) addConnectorRoutes(app, { ...options, connectors })
  const document = JSON.stringify(openApi(config, { hasConnectors: connectors !== undefined }))
  app.get('/openapi.json', { config: { access: { rule: 'public' } } }, (_request, reply) =>
    reply.type('application/json').send(document),
  )
  void app.register(async (scope) => {
    addBulkEntries(scope, { ingest, config, refuse })
  })
  void app.register(async (scope) => {
    addBodyParser(
      scope,
      contentTypes.proto,
      { maxBodyBytes: config.maxBodyBytes, room: ingest.inFlight },
      (bytes) => bytes,
    )
    addConnectRoutes(scope, options)
  })
  return app
}

/** How the routes answer. */
interface Answering {
  refuse(reply: FastifyReply, problem: IngestProblem): FastifyReply
  answer(reply: FastifyReply, result: Answer): FastifyReply
  accepted(reply: FastifyReply, body: object): FastifyReply
}

function addEngagements(
  app: FastifyInstance,
  { ingest, config, limits }: HttpOptions,
  {
    refuse,
    answer,
    answerPlain,
  }: Answering & {
    answerPlain(reply: FastifyReply, engagements: PlainEngagements, result: PlainAnswer): FastifyReply
  },
): void {
  const route = { config: { access: ingestRules.postEngagements, keepsBytes: true } }
  app.post('/v1/engagements', route, async (request, reply) => {
    const given = request.body
    const call = readCall(request)
    if (Buffer.isBuffer(given)) {
      const engagements = readPlainEngagements(given, config.maxBatchEvents)
      const taken = engagements && (await ingest.takePlain({ engagements, bytes: handOver(request), call }))
      if (engagements !== null && taken !== null) return answerPlain(reply, engagements, taken)
    }
    const parsed = Buffer.isBuffer(given) ? parseJsonBody(given, limits.maxJsonDepth) : given
    const body = readEvents(parsed, 'engagements', ['sentAt', 'clockOffsetMs'])
    if ('code' in body) return refuse(reply, body)
    const clock = readClock(body.about)
    if ('code' in clock) return refuse(reply, clock)
    const { events, single } = body
    const bytes = handOver(request)
    return answer(
      reply,
      await ingest.takeEngagements({ events, single, read: parseEngagementJson, clock, bytes, call }),
    )
  })
}

function addRoutes(app: FastifyInstance, ingest: Ingest, { refuse, answer, accepted }: Answering): void {
  for (const kind of entryKinds) {
    const options = { config: { access: ingestRules[kind.rule], adminPort: true } }
    app.post(`/v1/${kind.list}`, options, async (request, reply) => {
      const body = readEvents(request.body, kind.list, [])
      if ('code' in body) return refuse(reply, body)
      const { events, single } = body
      const bytes = handOver(request)
      return answer(reply, await kind.take(ingest, { events, single, bytes, call: readCall(request) }))
    })
  }
  const merging = { config: { access: ingestRules.mergeUsers } }
  app.post<{ Params: { id: string } }>('/v1/users/:id/merge', merging, async (request, reply) => {
    handOver(request)
    const merge = readMergeBody(request.params.id, request.body)
    if ('code' in merge) return refuse(reply, merge)
    request.checkAccess(merge)
    return answer(reply, await ingest.mergeUsers(merge, readCall(request)))
  })
  const erasing = { config: { access: ingestRules.eraseUser, adminPort: true } }
  app.delete<{ Params: { id: string } }>('/v1/users/:id', erasing, async (request, reply) => {
    handOver(request)
    const { id: userId } = request.params
    const result = await ingest.eraseUser(userId, readCall(request))
    const receipt = result.kind === 'taken' ? result.receipts[0] : result.problem
    if (receipt !== undefined && 'code' in receipt) return refuse(reply, receipt)
    return accepted(reply, { userId })
  })
}

function answerBody({ receipts, accepted, ...about }: Exclude<Answer, { kind: 'refused' }>): string {
  const counts = `"accepted":${accepted},"rejected":${receipts.length - accepted}`
  return `{${counts},"receipts":${JSON.stringify(receipts)},${aboutAnswer(about)}`
}

/** The end of an answer's body, behind the receipts. */
function aboutAnswer({ receivedAtMs, notice }: { readonly receivedAtMs: number; readonly notice: string }): string {
  const noticed = notice === '' ? '' : `,"notice":${JSON.stringify({ code: 'LOG_REPLACED', message: notice })}`
  return `"receivedAt":"${formatTime(receivedAtMs)}"${noticed}}`
}

/** The trace and the source of a request. There is no signal: ingest keeps the events of a client that disconnects, because the client cannot know whether they were accepted. */
function readCall(request: FastifyRequest): IngestCall {
  const { headers } = request
  const trace = traceHeaders(headers['traceparent'], headers['tracestate'])
  return { trace, deadlineMs: null, source: httpSource(request) }
}

/** The events of a body, which is one event or has a list named `list` and may have the fields `more`. */
function readEvents(
  body: unknown,
  list: 'engagements' | EntryKind['list'],
  more: readonly string[],
): Events | IngestProblem {
  const wanted = `send one ${list.slice(0, -1)} as an object, or {"${list}": […]}`
  if (!isJsonObject(body)) {
    if (isDeeperThan(body, maxJsonDepth))
      return problemOf('the body', 'BODY_TOO_DEEP', `is nested too deeply; ${wanted}`)
    return problemOf('the body', 'BODY_SHAPE', `is ${body === undefined ? 'empty' : kindOf(body)}; ${wanted}`)
  }
  const events = body[list]
  if (events === undefined) {
    if (Object.keys(body).length > 0) return { events: [body], single: true, about: {} }
    return problemOf('the body', 'BODY_SHAPE', `is an empty object; ${wanted}`)
  }
  if (!Array.isArray(events)) return problemAt('', list, 'BODY_SHAPE', `is ${kindOf(events)}; ${wanted}`)
  const odd = Object.keys(body).find((field) => field !== list && !more.includes(field))
  if (odd !== undefined) {
    const allowed = [list, ...more].join(', ')
    return problemAt(
      '',
      odd.slice(0, 64).toWellFormed(),
      'EVENT_FIELD_UNKNOWN',
      `is not a field of a batch; fields are ${allowed}`,
    )
  }
  return { events: events as readonly unknown[], single: false, about: body }
}

function readClock({ sentAt, clockOffsetMs: offset }: Events['about']): ClientClock | IngestProblem {
  const fault = sentAt === undefined ? null : timeFault(sentAt)
  if (fault !== null) return problemAt('', 'sentAt', fault.code, fault.text)
  const sentAtMs = sentAt === undefined ? null : parseTime(sentAt as string)
  if (offset === undefined) return { sentAtMs, offsetMs: 0 }
  const offsetFault = clockOffsetFault(offset)
  if (offsetFault !== null) return problemAt('', 'clockOffsetMs', offsetFault.code, offsetFault.text)
  return { sentAtMs, offsetMs: offset as number }
}

function errorBody({ code, field, message }: IngestProblem): string {
  return JSON.stringify({ error: { code, field, message, retryable: ingestProblems[code].retryable } })
}

function accessBody({ code, message, retryable }: AccessError): string {
  return JSON.stringify({ error: { code, field: '', message, retryable } })
}

const faults: Readonly<Record<ConnectionFault, IngestProblem>> = {
  malformed: problemOf('the request', 'REQUEST_MALFORMED', 'is not valid HTTP'),
  headers: problemOf('the request', 'REQUEST_HEADERS_TOO_LARGE', 'has too large headers; send less'),
  slow: problemOf('the request', 'REQUEST_TIMEOUT', 'did not arrive in time; send it again'),
}
