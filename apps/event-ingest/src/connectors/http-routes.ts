import { AccessError } from '@freshet/access/errors'
import { ingestRules } from '@freshet/adapters/access/ingest-rules'
import { isDeeperThan, isJsonObject, kindOf, maxJsonDepth } from '@freshet/contracts/json/fields'
import { ingestProblems, problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime } from '@freshet/contracts/json/time'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { addBodyParser } from '@freshet/service/http-app'
import { httpSource } from '@freshet/service/http-source'
import { parseJsonBody } from '@freshet/service/json-body'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestCall } from '../append.ts'
import type { IngestConfig } from '../config.ts'
import { handOver } from '../hand-over.ts'
import type { Ingest } from '../ingest.ts'
import { problemOf, problemOfError, retryAfter } from '../request-problems.ts'
import { batchedType, binaryEvent, isBinaryMode, readCloudEvent, structuredType } from './cloudevents.ts'
import type { ConnectorAnswer, Connectors } from './connectors.ts'
import { readSegmentEvent, segmentCalls, sentAtOf, type SegmentCall } from './segment.ts'

/** Dependencies and settings of the routes. */
export interface ConnectorRouteOptions {
  readonly connectors: Connectors
  readonly ingest: Pick<Ingest, 'inFlight'>
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly report: Report
}

/** Whoever may post engagements may post events of other systems. */
const writing = { config: { access: ingestRules.postEngagements } }

type Taken = Extract<ConnectorAnswer, { kind: 'taken' }>

/** Adds `POST /v1/cloudevents` and the calls of Segment's tracking API below `/v1/segment/v1/` to `app`. */
export function addConnectorRoutes(app: FastifyInstance, options: ConnectorRouteOptions): void {
  void app.register(async (scope) => {
    addCloudEventsRoute(scope, options)
  })
  void app.register(async (scope) => {
    addSegmentRoutes(scope, options)
  })
}

function addCloudEventsRoute(scope: FastifyInstance, options: ConnectorRouteOptions): void {
  const { connectors, ingest, config, report } = options
  const answers = createAnswers(options, 'cloudevents', ({ status }) => status)
  for (const type of [structuredType, batchedType, otherJsonTypes])
    addBodyParser(scope, type, { maxBodyBytes: config.maxBodyBytes, room: ingest.inFlight }, (bytes) =>
      parseJsonBody(bytes),
    )
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof AccessError) throw error
    const accepted = `${structuredType}, ${batchedType}, or JSON (application/json, application/*+json) with headers ce-*`
    const problem = problemOfError(error, request, accepted)
    if (problem.code === 'INGEST_INTERNAL') report(error, { part: 'http', outcome: 'defect' })
    return answers.refuse(reply, problem)
  })
  scope.post('/v1/cloudevents', writing, async (request, reply) => {
    const bytes = handOver(request)
    const found = cloudEventsIn(request)
    if ('code' in found) return answers.refuse(reply, found)
    const { events, isBatch } = found
    const taken = await connectors.take({
      connector: 'cloudevents',
      list: '',
      events,
      read: (event, index, arrivedAtMs) =>
        readCloudEvent(
          event,
          { at: isBatch && events.length > 1 ? `[${index}]` : '', arrivedAtMs },
          connectors.mapping,
        ),
      sentAtMs: null,
      bytes,
      caller: request.caller,
      call: callOf(request),
    })
    if (taken.kind === 'refused') return answers.refuse(reply, taken.problem)
    return answers.send(reply, taken, taken.rejected === taken.receipts.length ? 400 : 202, {})
  })
}

/** The events of a request in one of the three modes of CloudEvents over HTTP. */
function cloudEventsIn({
  headers,
  body,
}: FastifyRequest): { readonly events: readonly unknown[]; readonly isBatch: boolean } | IngestProblem {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (isDeeperThan(body, maxEventDepth))
    return problemOf('the body', 'BODY_TOO_DEEP', `is nested more than ${maxEventDepth} levels deep; send it flatter`)
  if (type === batchedType) {
    if (Array.isArray(body)) return { events: body, isBatch: true }
    return problemOf('the body', 'BODY_SHAPE', `is ${kindOf(body)}; a batch of CloudEvents is an array`)
  }
  if (type === structuredType) return { events: [body], isBatch: false }
  if (isBinaryMode(headers)) {
    const event = binaryEvent(headers, body, 'ce-')
    return { events: [type === undefined || type === '' ? event : { ...event, datacontenttype: type }], isBatch: false }
  }
  const text = `has the content type ${type === '' ? 'none' : (type ?? 'none').slice(0, 80)} and no headers ce-*; send ${structuredType}, ${batchedType}, or headers ce-specversion, ce-id, ce-source and ce-type`
  return problemOf('the body', 'CONTENT_TYPE', text)
}

/** Types of data in binary mode, beside `application/json`. */
const otherJsonTypes = /^application\/(?!cloudevents)[\w.-]+\+json\s*(;|$)/i

/** Two levels more than a field of an event: the list, and the event around its data. */
const maxEventDepth = maxJsonDepth + 2

function addSegmentRoutes(scope: FastifyInstance, options: ConnectorRouteOptions): void {
  const { connectors, report } = options
  // The SDKs send again whatever is not 2xx or 400. What will fail again is therefore always 400.
  const answers = createAnswers(options, 'segment', ({ fault, retryable, status }) =>
    fault === 'client' && !retryable ? 400 : status,
  )
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof AccessError) throw error
    const problem = problemOfError(error, request, 'application/json')
    if (problem.code === 'INGEST_INTERNAL') report(error, { part: 'http', outcome: 'defect' })
    return answers.refuse(reply, problem)
  })
  const take = async (
    request: FastifyRequest,
    reply: FastifyReply,
    list: string,
    { events, call }: { readonly events: readonly unknown[]; readonly call: SegmentCall | null },
  ) => {
    const bytes = handOver(request)
    const taken = await connectors.take({
      connector: 'segment',
      list,
      events,
      read: (event, index, arrivedAtMs) =>
        readSegmentEvent(
          event,
          call,
          { at: call === null ? `${list}[${index}]` : '', arrivedAtMs },
          connectors.mapping,
        ),
      sentAtMs: sentAtOf(request.body) ?? sentAtOf(events[0]),
      bytes,
      caller: request.caller,
      call: callOf(request),
    })
    if (taken.kind === 'refused') return answers.refuse(reply, taken.problem)
    return answers.send(reply, taken, 200, { success: true })
  }
  for (const call of segmentCalls) {
    scope.post(`/v1/segment/v1/${call}`, writing, async (request, reply) => {
      const { body } = request
      if (isJsonObject(body) && !isDeeperThan(body, maxEventDepth))
        return take(request, reply, '', { events: [body], call })
      handOver(request)
      return answers.refuse(reply, shapeOf(body, 'send one event as an object'))
    })
  }
  for (const name of ['batch', 'import']) {
    scope.post(`/v1/segment/v1/${name}`, writing, async (request, reply) => {
      const { body } = request
      const list = isJsonObject(body) ? body['batch'] : undefined
      if (Array.isArray(list) && !isDeeperThan(body, maxEventDepth + 1))
        return take(request, reply, 'batch', { events: list, call: null })
      handOver(request)
      if (!isJsonObject(body) || list === undefined || Array.isArray(list))
        return answers.refuse(reply, shapeOf(body, 'send {"batch": […]}'))
      return answers.refuse(reply, problemAt('', 'batch', 'BODY_SHAPE', `is ${kindOf(list)}; send {"batch": […]}`))
    })
  }
}

function shapeOf(body: unknown, wanted: string): IngestProblem {
  if (isDeeperThan(body, maxEventDepth))
    return problemOf('the body', 'BODY_TOO_DEEP', `is nested more than ${maxEventDepth} levels deep; send it flatter`)
  return problemOf('the body', 'BODY_SHAPE', `is ${body === undefined ? 'empty' : kindOf(body)}; ${wanted}`)
}

/** How the routes of a connector answer. */
function createAnswers(
  { config, metrics }: ConnectorRouteOptions,
  protocol: 'cloudevents' | 'segment',
  statusOf: (kind: (typeof ingestProblems)[keyof typeof ingestProblems]) => number,
) {
  const requests = metrics.counter('freshet_ingest_requests_total')
  return {
    refuse(reply: FastifyReply, problem: IngestProblem): FastifyReply {
      const { code, field, message } = problem
      const kind = ingestProblems[code]
      requests.inc({ protocol, outcome: code })
      if (kind.retryable) reply.header('retry-after', String(retryAfter(problem, config)))
      return reply.code(statusOf(kind)).send({ error: { code, field, message, retryable: kind.retryable } })
    },
    send(reply: FastifyReply, taken: Taken, status: number, more: object): FastifyReply {
      const { receipts, accepted, skipped, rejected, receivedAtMs, notice } = taken
      requests.inc({ protocol, outcome: rejected === receipts.length ? 'rejected' : 'accepted' })
      return reply.code(status).send({
        ...more,
        accepted,
        skipped,
        rejected,
        receipts,
        receivedAt: formatTime(receivedAtMs),
        ...(notice !== '' && { notice: { code: 'LOG_REPLACED', message: notice } }),
      })
    },
  }
}

function callOf(request: FastifyRequest): IngestCall {
  const { headers } = request
  const trace = traceHeaders(headers['traceparent'], headers['tracestate'])
  return { trace, deadlineMs: null, source: httpSource(request) }
}
