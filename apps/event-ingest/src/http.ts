import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { isJsonObject, isDeeperThan, maxJsonDepth, kindOf } from '@freshet/contracts/json/fields'
import { parsePinJson } from '@freshet/contracts/json/pin'
import { ingestProblems, problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime, parseTime, timeFault } from '@freshet/contracts/json/time'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { bodyStatus, createHttpApp as createApp } from '@freshet/service/http-app'
import { BodyError, type BodyFault } from '@freshet/service/http-body'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { HttpLimits } from '@freshet/service/settings'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestConfig } from './config.ts'
import type { ClientClock } from './event-time.ts'
import type { Answer, Ingest, IngestCall } from './ingest.ts'

/** What the HTTP server needs. */
export interface HttpOptions {
  readonly ingest: Ingest
  readonly config: IngestConfig
  readonly limits: HttpLimits
  readonly origins: readonly string[]
  readonly metrics: Metrics
  readonly report: Report
}

/** The events of a body, and what it says besides. */
interface Events {
  readonly events: readonly unknown[]
  readonly single: boolean
  readonly about: Readonly<Record<string, unknown>>
}

/** More than the time since the epoch. */
const maxClockOffsetMs = 100 * 365.25 * 86_400_000

/** The HTTP JSON server before it listens: `POST /v1/engagements`, `POST /v1/pins`, `DELETE /v1/users/{id}`. It translates; ingest decides. */
export function createHttpApp(options: HttpOptions): FastifyInstance {
  const { ingest, config, report } = options
  const requests = options.metrics.counter('freshet_ingest_requests_total')
  const app = createApp({
    name: 'ingest',
    limits: options.limits,
    maxBodyBytes: config.maxBodyBytes,
    room: ingest.inFlight,
    origins: options.origins,
    methods: ['POST', 'DELETE'],
    answerTo: (fault) => errorBody(fault === 'slow' ? tooSlow : noHttp),
    metrics: options.metrics,
  })

  const refuse = (reply: FastifyReply, problem: IngestProblem): FastifyReply => {
    const { status, retryable } = ingestProblems[problem.code]
    requests.inc({ protocol: 'http', outcome: problem.code })
    if (retryable) reply.header('retry-after', String(config.retryAfterSeconds))
    return reply.code(status).type('application/json').send(errorBody(problem))
  }
  const answer = (reply: FastifyReply, result: Answer): FastifyReply => {
    if (result.kind === 'refused') return refuse(reply, result.problem)
    requests.inc({ protocol: 'http', outcome: result.accepted > 0 ? 'accepted' : 'rejected' })
    const { receipts, accepted, notice } = result
    const receivedAt = formatTime(result.receivedAtMs)
    return reply
      .code(accepted > 0 ? 202 : 400)
      .type('application/json')
      .send(
        JSON.stringify({
          accepted,
          rejected: receipts.length - accepted,
          receipts,
          receivedAt,
          ...(notice !== '' && { notice: { code: 'LOG_REPLACED', message: notice } }),
        }),
      )
  }

  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request)
    if (error instanceof BodyError) reply.headers(bodyStatus(error).headers)
    if (problem.code === 'INGEST_INTERNAL') report(error, { part: 'http', outcome: 'defect' })
    return refuse(reply, problem)
  })
  app.setNotFoundHandler((request, reply) => {
    const text = 'is unknown; there are POST /v1/engagements, POST /v1/pins and DELETE /v1/users/{id}'
    return refuse(reply, about(`${request.method} ${request.url.slice(0, 80)}`, 'ROUTE_UNKNOWN', text))
  })

  app.post('/v1/engagements', async (request, reply) => {
    const body = eventsOf(request.body, 'engagements', 'eventId', ['sentAt', 'clockOffsetMs'])
    if ('code' in body) return refuse(reply, body)
    const clock = clockOf(body.about)
    if ('code' in clock) return refuse(reply, clock)
    const bytes = handOver(request)
    return answer(
      reply,
      await ingest.takeEngagements({ ...body, read: parseEngagementJson, clock, bytes, call: callOf(request) }),
    )
  })
  app.post('/v1/pins', async (request, reply) => {
    const body = eventsOf(request.body, 'pins', 'pinId', [])
    if ('code' in body) return refuse(reply, body)
    const bytes = handOver(request)
    return answer(reply, await ingest.takePins({ ...body, read: parsePinJson, bytes, call: callOf(request) }))
  })
  app.delete<{ Params: { id: string } }>('/v1/users/:id', async (request, reply) => {
    handOver(request)
    const { id: userId } = request.params
    const result = await ingest.eraseUser(userId, callOf(request))
    const receipt = result.kind === 'taken' ? result.receipts[0] : result.problem
    if (receipt !== undefined && 'code' in receipt) return refuse(reply, receipt)
    requests.inc({ protocol: 'http', outcome: 'accepted' })
    return reply.code(202).send({ userId })
  })
  return app
}

/** Stops counting the body as one being received and says what it weighs; from here on ingest counts it. */
function handOver(request: FastifyRequest): number {
  request.received?.end()
  return request.bodyBytes
}

/** The request's trace. A client that goes away leaves its events: it may not know whether they were taken. */
function callOf({ headers }: FastifyRequest): IngestCall {
  return { trace: traceHeaders(headers['traceparent'], headers['tracestate']), deadlineMs: null }
}

/** The events of a body: one event, or a list under its name. */
function eventsOf(
  body: unknown,
  list: 'engagements' | 'pins',
  idField: 'eventId' | 'pinId',
  more: readonly string[],
): Events | IngestProblem {
  const wanted = `send one ${list === 'pins' ? 'pin' : 'engagement'} as an object, or {"${list}": […]}`
  if (!isJsonObject(body)) {
    if (isDeeperThan(body, maxJsonDepth)) return about('the body', 'BODY_TOO_DEEP', `is nested too deep; ${wanted}`)
    return about('the body', 'BODY_SHAPE', `is ${body === undefined ? 'empty' : kindOf(body)}; ${wanted}`)
  }
  const events = body[list]
  if (events === undefined) {
    if (idField in body || Object.keys(body).length > 0) return { events: [body], single: true, about: {} }
    return about('the body', 'BODY_SHAPE', `is an empty object; ${wanted}`)
  }
  if (!Array.isArray(events)) return problemAt('', list, 'BODY_SHAPE', `is ${kindOf(events)}; ${wanted}`)
  const odd = Object.keys(body).find((field) => field !== list && !more.includes(field))
  if (odd !== undefined) {
    const allowed = [list, ...more].join(', ')
    return problemAt(
      '',
      odd.slice(0, 64).toWellFormed(),
      'EVENT_FIELD_UNKNOWN',
      `is no field of a batch; fields are ${allowed}`,
    )
  }
  return { events: events as readonly unknown[], single: false, about: body }
}

function clockOf({ sentAt, clockOffsetMs: offset }: Events['about']): ClientClock | IngestProblem {
  const fault = sentAt === undefined ? null : timeFault(sentAt)
  if (fault !== null) return problemAt('', 'sentAt', fault.code, fault.text)
  const sentAtMs = sentAt === undefined ? null : parseTime(sentAt as string)
  if (offset === undefined) return { sentAtMs, offsetMs: 0 }
  if (typeof offset === 'number' && Number.isInteger(offset) && Math.abs(offset) <= maxClockOffsetMs)
    return { sentAtMs, offsetMs: offset }
  const text = `is ${kindOf(offset)}; give whole milliseconds by which the client's clock is behind`
  return problemAt('', 'clockOffsetMs', typeof offset === 'number' ? 'EVENT_FIELD_VALUE' : 'EVENT_FIELD_TYPE', text)
}

function errorBody({ code, field, message }: IngestProblem): string {
  return JSON.stringify({ error: { code, field, message, retryable: ingestProblems[code].retryable } })
}

function problemOf(error: unknown, request: FastifyRequest): IngestProblem {
  if (error instanceof BodyError) return about('the body', problemOfBody[error.fault], error.message)
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const given = request.headers['content-type'] ?? 'none'
    return about('the body', 'CONTENT_TYPE', `has the content type ${given.slice(0, 80)}; send application/json`)
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return about('the request', 'REQUEST_MALFORMED', `is malformed: ${(error as Error).message}`)
  }
  return about('the request', 'INGEST_INTERNAL', 'failed: a defect of the service; send the same event ids again')
}

const problemOfBody: Readonly<Record<BodyFault, IngestCode>> = {
  malformed: 'BODY_MALFORMED',
  'too large': 'BODY_TOO_LARGE',
  encoding: 'CONTENT_TYPE',
  'no room': 'INGEST_OVERLOADED',
}

/** A problem of the request as a whole: there is no field to name. */
function about(what: string, code: IngestCode, text: string): IngestProblem {
  return { code, field: '', message: `${what} ${text}` }
}

const noHttp = about('the request', 'REQUEST_MALFORMED', 'is not valid HTTP')
const tooSlow = about('the request', 'REQUEST_TIMEOUT', 'did not arrive in time; send it again')
