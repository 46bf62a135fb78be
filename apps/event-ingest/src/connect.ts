import { AccessError } from '@freshet/access/errors'
import type { CallRule } from '@freshet/access/rules'
import { ingestRules } from '@freshet/adapters/access/ingest-rules'
import {
  connectTimeoutMs,
  contentTypes,
  packed,
  readRequest,
  writeResponse,
  type ConnectHeaders,
} from '@freshet/adapters/connect/connect-call'
import { accessFailure, detailOf, type ConnectFailure } from '@freshet/adapters/connect/connect-error'
import { isContractError } from '@freshet/contracts/errors'
import { ingestProblems, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { traceHeaders } from '@freshet/contracts/trace-context'
import type { Clock } from '@freshet/domain/clock'
import { bodyStatus } from '@freshet/service/http-app'
import { httpSource } from '@freshet/service/http-source'
import { BodyError } from '@freshet/service/http-body'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestConfig } from './config.ts'
import type { Ingest } from './ingest.ts'
import { createMessageCalls, formatProblems, type MessageCall } from './message-calls.ts'
import { problemOfError, retryAfter } from './request-problems.ts'

/** Dependencies and settings of the Connect protocol. */
export interface ConnectOptions {
  readonly ingest: Ingest
  readonly clock: Clock
  readonly config: Pick<IngestConfig, 'retryAfterSeconds'>
  readonly metrics: Metrics
  readonly report: Report
}

type Problems = readonly [IngestProblem, ...IngestProblem[]]

/**
 * Serves every call of `EventIngest` by the Connect protocol for unary calls, in proto3 JSON and in protobuf, with the limits
 * and problems of the other routes. `app`: a scope of its own that reads both content types.
 */
export function addConnectRoutes(app: FastifyInstance, options: ConnectOptions): void {
  const requests = options.metrics.counter('freshet_ingest_requests_total')
  const count = (outcome: string): void => requests.inc({ protocol: 'connect', outcome })
  const fail = (reply: FastifyReply, problems: Problems): FastifyReply => {
    const { status, body } = failureOf(problems)
    if (ingestProblems[problems[0].code].retryable)
      reply.header('retry-after', String(retryAfter(problems[0], options.config)))
    return reply.code(status).type('application/json').send(body)
  }
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AccessError) {
      count(error.code)
      const { status, body } = accessFailure(error)
      return reply.code(status).type('application/json').send(body)
    }
    const problem = isContractError(error, 'CALL_INVALID_ARGUMENT')
      ? malformed(error.message)
      : problemOfError(error, request, accepted)
    if (error instanceof BodyError) reply.headers(bodyStatus(error).headers)
    if (problem.code === 'CONTENT_TYPE') reply.header('accept-post', accepted)
    if (problem.code === 'INGEST_INTERNAL') options.report(error, { part: 'connect', outcome: 'defect' })
    count(problem.code)
    return fail(reply, [problem])
  })

  const add = <Request, Response>(
    { method, take }: MessageCall<Request, Response>,
    access: CallRule<Request>,
    adminPort = false,
  ): void => {
    const path = `/freshet.ingest.v1.EventIngest/${method.name}`
    app.post(path, { config: { access, adminPort } }, async (request, reply) => {
      const codec = request.headers['content-type']?.startsWith(contentTypes.proto) === true ? 'proto' : 'json'
      const message = readRequest(method, codec, request.body)
      request.checkAccess(message)
      const deadline = deadlineOf(request, options.clock)
      try {
        request.received?.end()
        const result = await take(message, {
          bytes: request.bodyBytes,
          call: { ...deadline.call, source: httpSource(request) },
        })
        count(result.kind === 'failed' ? result.outcome : 'accepted')
        if (result.kind === 'failed') return await fail(reply, result.problems)
        const answer = packed(writeResponse(method, codec, result.response), request.headers['accept-encoding'])
        if (answer.encoding !== null) reply.header('content-encoding', answer.encoding)
        return await reply.type(contentTypes[codec]).send(answer.body)
      } finally {
        deadline.end()
      }
    })
  }
  const { postEngagements, postPins, postCreators, postBoards, mergeUsers } = createMessageCalls(options.ingest)
  add(postEngagements, ingestRules.postEngagements)
  add(postPins, ingestRules.postPins, true)
  add(postCreators, ingestRules.postCreators, true)
  add(postBoards, ingestRules.postBoards, true)
  add(mergeUsers, ingestRules.mergeUsers)
}

const accepted = Object.values(contentTypes).join(', ')

/** A body that is not a message, or headers that the protocol does not allow. */
function malformed(message: string): IngestProblem {
  return { code: message.startsWith('body:') ? 'BODY_MALFORMED' : 'REQUEST_MALFORMED', field: '', message }
}

/** Longer than any append. A timer cannot wait for ten digits of milliseconds. */
const dayMs = 86_400_000

/** The trace and the deadline of a request. As with the JSON routes, the events of a client that disconnects are kept. */
function deadlineOf({ headers }: FastifyRequest, clock: Clock) {
  const timeoutMs = connectTimeoutMs(headers as ConnectHeaders, { defaultMs: Infinity, maxMs: dayMs })
  const trace = traceHeaders(headers['traceparent'], headers['tracestate'])
  if (timeoutMs === Infinity) return { call: { trace, deadlineMs: null }, end: () => undefined }
  const passed = new AbortController()
  const ended = new AbortController()
  void clock.sleep(timeoutMs, ended.signal).then(
    () => passed.abort(new Error('the deadline of the caller passed')),
    () => undefined,
  )
  return {
    call: { trace, deadlineMs: clock.now() + timeoutMs, signal: passed.signal },
    end: () => ended.abort(),
  }
}

/** An answer names at most this many problems. */
const maxDetails = 100

function failureOf(problems: Problems): ConnectFailure {
  const details = problems.slice(0, maxDetails).map(({ code, field }) => {
    const retryable = String(ingestProblems[code].retryable)
    return detailOf(code, field === '' ? { retryable } : { field, retryable })
  })
  const [{ code }] = problems
  return {
    status: ingestProblems[code].status,
    body: { code: connectCodeOf(code), message: formatProblems(problems), details },
  }
}

function connectCodeOf(code: IngestCode): string {
  if (code === 'INGEST_DEADLINE_EXCEEDED') return 'deadline_exceeded'
  if (code === 'RATE_LIMITED') return 'resource_exhausted'
  const { fault, retryable } = ingestProblems[code]
  if (fault === 'client') return 'invalid_argument'
  return retryable && code !== 'INGEST_INTERNAL' ? 'unavailable' : 'internal'
}
