import { AccessError } from '@freshet/access/errors'
import type { CallRule } from '@freshet/access/rules'
import { blenderRules } from '@freshet/adapters/access/blender-rules'
import {
  connectTimeoutMs,
  contentTypes,
  packed,
  readQuery,
  readRequest,
  writeResponse,
  type ConnectCodec,
  type ConnectHeaders,
  type ConnectQuery,
} from '@freshet/adapters/connect/connect-call'
import { accessFailure, connectFailure } from '@freshet/adapters/connect/connect-error'
import { ContractError, isContractError, RateLimitedError } from '@freshet/contracts/errors'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import type { MethodCodecs } from '@freshet/contracts/ports/method'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { httpSource } from '@freshet/service/http-source'
import { retryAfterSeconds, type RateLimits } from '@freshet/service/rate-limits'
import { BodyError } from '@freshet/service/http-body'
import { bodyStatus } from '@freshet/service/http-app'
import { admitCall } from './admit-call.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** How the Connect protocol is served. */
export interface ConnectOptions {
  readonly blender: Blender
  /** Deadline of a request without one. */
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
  readonly maxBodyBytes: number
  /** Limits of the rates of calls; absent: none. */
  readonly rates?: RateLimits
  /** Called for every defect. */
  readonly onDefect: (error: unknown) => void
}

const service = '/freshet.blending.v1.Blender'

/**
 * Serves every call of the blender by the Connect protocol for unary calls: POST, and GET for calls without side effects, in
 * proto3 JSON and in protobuf. `app`: a scope of its own that reads both content types.
 */
export function addConnectRoutes(app: FastifyInstance, options: ConnectOptions): void {
  const { blender } = options
  app.setErrorHandler((error, _request, reply) => fail(reply, error, options.onDefect))
  const add = <Request, Response>(
    method: MethodCodecs<Request, Response>,
    call: (request: Request, options: CallOptions) => Promise<Response>,
    access: CallRule<Request>,
  ): void => {
    addRoute(app, { method, call, access }, options)
  }
  add(blenderMethods.getFeed, blender.getFeed, blenderRules.getFeed)
  add(blenderMethods.getRelatedPins, blender.getRelatedPins, blenderRules.getRelatedPins)
  add(blenderMethods.rankPins, blender.rankPins, blenderRules.rankPins)
  add(blenderMethods.getPins, blender.getPins, blenderRules.getPins)
  add(blenderMethods.searchByImage, blender.searchByImage, blenderRules.searchByImage)
  add(blenderMethods.explainFeed, blender.explainFeed, blenderRules.explainFeed)
  add(blenderMethods.getCapabilities, blender.getCapabilities, blenderRules.getCapabilities)
}

interface Route<Request, Response> {
  readonly method: MethodCodecs<Request, Response>
  readonly call: (request: Request, options: CallOptions) => Promise<Response>
  readonly access: CallRule<Request>
}

function addRoute<Request, Response>(
  app: FastifyInstance,
  { method, call, access }: Route<Request, Response>,
  { timeoutMs, maxTimeoutMs, maxBodyBytes, rates }: ConnectOptions,
): void {
  const path = `${service}/${method.name}`
  const answer = async (request: FastifyRequest, reply: FastifyReply, codec: ConnectCodec, message: Request) => {
    request.checkAccess(message)
    await admitCall(rates, httpSource(request), message)
    const headers = request.headers as ConnectHeaders
    const deadlineMs = connectTimeoutMs(headers, { defaultMs: timeoutMs, maxMs: maxTimeoutMs })
    const gone = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) gone.abort()
    })
    const { traceparent, tracestate } = request.headers
    const trace = traceHeaders(traceparent, tracestate)
    const response = await call(message, { timeoutMs: deadlineMs, signal: gone.signal, headers: trace })
    const { body, encoding } = packed(writeResponse(method, codec, response), request.headers['accept-encoding'])
    if (encoding !== null) reply.header('content-encoding', encoding)
    return reply.header('content-type', contentTypes[codec]).send(body)
  }
  app.post(path, { config: { access } }, async (request, reply) => {
    const codec = request.headers['content-type']?.startsWith(contentTypes.proto) === true ? 'proto' : 'json'
    return answer(request, reply, codec, readRequest(method, codec, request.body))
  })
  if (!method.reads) return
  app.get(path, { config: { access } }, async (request, reply) => {
    const read = readQuery(method, request.query as ConnectQuery, maxBodyBytes)
    return answer(request, reply, read.codec, read.request)
  })
}

/** Errors are JSON, whatever the codec of the request is. */
function fail(reply: FastifyReply, error: unknown, onDefect: (error: unknown) => void): FastifyReply {
  if (error instanceof BodyError) {
    const { status, headers } = bodyStatus(error)
    const code = error.fault === 'no room' ? 'CALL_UNAVAILABLE' : 'CALL_INVALID_ARGUMENT'
    const { body } = connectFailure(new ContractError(code, `body: ${error.message}`))
    return reply.headers(headers).code(status).send(body)
  }
  if (error instanceof AccessError) {
    const { status, body } = accessFailure(error)
    if (status === 503) reply.header('retry-after', '1')
    return reply.code(status).send(body)
  }
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message: string }
  if (!isContractError(error) && statusCode === 415) {
    // The protocol wants the status alone, with a header that lists what is accepted.
    return reply
      .header('accept-post', Object.values(contentTypes).join(', '))
      .code(415)
      .send({ code: 'unknown', message })
  }
  if (error instanceof RateLimitedError) reply.header('retry-after', retryAfterSeconds(error.retryAfterMs))
  const { status, body } = connectFailure(error)
  if (status === 500) onDefect(error)
  if (status === 503) reply.header('retry-after', '1')
  return reply.code(status).send(body)
}
