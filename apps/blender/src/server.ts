import type { Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import type { CallRule } from '@freshet/access/rules'
import { blenderRules } from '@freshet/adapters/access/blender-rules'
import { ContractError, isContractError, RateLimitedError } from '@freshet/contracts/errors'
import type { Evaluation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { createByteRoom } from '@freshet/service/byte-room'
import { addBodyParser, bodyStatus, createHttpApp as createApp, type ConnectionFault } from '@freshet/service/http-app'
import { httpSource } from '@freshet/service/http-source'
import { retryAfterSeconds, type RateLimits } from '@freshet/service/rate-limits'
import { BodyError } from '@freshet/service/http-body'
import type { Metrics } from '@freshet/service/metrics'
import type { HttpLimits } from '@freshet/service/settings'
import type { TlsServer } from '@freshet/service/tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { contentTypes } from '@freshet/adapters/connect/connect-call'
import { admitCall } from './admit-call.ts'
import { addConnectRoutes } from './connect-routes.ts'
import { explanationToJson, feedToJson, namedEnums, relatedPinsToJson } from './json-answer.ts'
import {
  capabilitiesRequestFromJson,
  explainRequestFromJson,
  pinsRequestFromJson,
  rankRequestFromJson,
  searchRequestFromJson,
} from './json-list-request.ts'
import { openApi, statusOf } from './openapi.ts'
import { dryRun, feedRequestFromJson, jsonFromQuery, relatedRequestFromJson } from './json-request.ts'

/** Dependencies of the HTTP server. */
export interface HttpOptions {
  readonly blender: Blender
  readonly access: Access
  /** Limits of the rates of calls; absent: none. */
  readonly rates?: RateLimits
  /** Deadline of a request. */
  readonly timeoutMs: number
  /** Longest deadline that a request by the Connect protocol can ask for. */
  readonly maxTimeoutMs: number
  readonly maxBodyBytes: number
  readonly limits: HttpLimits
  /** Web origins that may send requests; `*`: all. */
  readonly origins: readonly string[]
  readonly metrics: Metrics
  /** A monotonic clock, milliseconds. */
  readonly nowMs: () => number
  /** Called for every defect. */
  readonly onDefect: (error: unknown) => void
  /** Absent or null: the server speaks no TLS. */
  readonly tls?: TlsServer | null
}

const routes =
  'GET /openapi.json, GET and POST /v1/feed, /v1/related, /v1/rank, /v1/pins, /v1/search, /v1/explain, /v1/capabilities and, by the Connect protocol, /freshet.blending.v1.Blender/METHOD'

/** The server can receive this many bodies of the maximum size at the same time. */
const largestBodies = 64

/**
 * Creates the HTTP JSON server, which does not listen yet. It accepts the same messages as gRPC and only translates them.
 * GET is a dry run and records nothing, so caches, crawlers and clients that give up use none of a user's pins. POST serves.
 */
export function createHttpApp(options: HttpOptions): FastifyInstance {
  const { blender, timeoutMs, maxBodyBytes, limits, origins, metrics, nowMs, onDefect } = options
  const room = createByteRoom(largestBodies * maxBodyBytes, nowMs)
  const app = createApp({
    name: 'feed',
    limits,
    maxBodyBytes,
    room,
    access: options.access,
    origins,
    methods: ['GET', 'POST'],
    answerTo: (fault) => JSON.stringify(errorBody(faults[fault])),
    metrics,
    tls: options.tls ?? null,
  })
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof AccessError) return refuse(reply, error.httpStatus, error)
    if (error instanceof BodyError) {
      const { status, headers } = bodyStatus(error)
      const code = error.fault === 'no room' ? 'CALL_UNAVAILABLE' : 'CALL_INVALID_ARGUMENT'
      return refuse(reply.headers(headers), status, new ContractError(code, `body: ${error.message}`))
    }
    if (isContractError(error)) return refuse(reply, statusOf[error.code] ?? 500, error)
    const { statusCode, message } = error as { readonly statusCode?: number; readonly message: string }
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
      return refuse(reply, statusCode, new ContractError('CALL_INVALID_ARGUMENT', `body: ${message}`))
    return refuse(reply, 500, new ContractError('CALL_INTERNAL', 'a defect; the log has its trace', { cause: error }))
  })
  app.setNotFoundHandler((request, reply) => {
    const text = `path: ${request.method} ${request.url.slice(0, 80)} is unknown; the routes are ${routes}`
    return refuse(reply, 404, new ContractError('CALL_INVALID_ARGUMENT', text))
  })

  function refuse(reply: FastifyReply, status: number, error: ContractError | AccessError): FastifyReply {
    if (error.code === 'CALL_INTERNAL') onDefect(error)
    if (status === 503) reply.header('retry-after', '1')
    if (error instanceof RateLimitedError) reply.header('retry-after', retryAfterSeconds(error.retryAfterMs))
    return reply.code(status).send(errorBody(error))
  }

  function answerer<Request, Response>(
    ask: (request: Request, call: CallOptions) => Promise<Response>,
    json: (response: Response) => unknown,
  ) {
    return async (request: Request, reply: FastifyReply, headers: MessageHeaders) => {
      const gone = new AbortController()
      const onClose = () => {
        if (!reply.raw.writableEnded) gone.abort()
      }
      reply.raw.once('close', onClose)
      try {
        return json(await ask(request, { timeoutMs, signal: gone.signal, headers }))
      } catch (error) {
        throw inJson(error)
      }
    }
  }

  function route<Request, Response>(
    path: string,
    read: (json: unknown) => Request,
    ask: (request: Request, call: CallOptions) => Promise<Response>,
    { json, preview, access }: RouteOptions<Request, Response>,
  ): void {
    const answer = answerer(ask, json)
    const allowed = async (request: FastifyRequest, message: Request): Promise<Request> => {
      request.checkAccess(message)
      await admitCall(options.rates, httpSource(request), message)
      return message
    }
    app.get(path, { config: { access } }, async (request, reply) => {
      const asked = read(jsonFromQuery(request.query as Record<string, unknown>))
      return answer(preview(await allowed(request, asked)), reply, traceIn(request))
    })
    app.post(path, { config: { access } }, async (request, reply) =>
      answer(await allowed(request, read(request.body)), reply, traceIn(request)),
    )
  }

  route('/v1/feed', feedRequestFromJson, blender.getFeed, {
    json: feedToJson,
    preview: dry,
    access: blenderRules.getFeed,
  })
  route('/v1/related', relatedRequestFromJson, blender.getRelatedPins, {
    json: relatedPinsToJson,
    preview: dry,
    access: blenderRules.getRelatedPins,
  })
  route('/v1/rank', rankRequestFromJson, blender.rankPins, {
    json: namedEnums,
    preview: asItIs,
    access: blenderRules.rankPins,
  })
  route('/v1/pins', pinsRequestFromJson, blender.getPins, {
    json: asItIs,
    preview: asItIs,
    access: blenderRules.getPins,
  })
  route('/v1/search', searchRequestFromJson, blender.searchByImage, {
    json: namedEnums,
    preview: asItIs,
    access: blenderRules.searchByImage,
  })
  route('/v1/explain', explainRequestFromJson, blender.explainFeed, {
    json: explanationToJson,
    preview: asItIs,
    access: blenderRules.explainFeed,
  })
  route('/v1/capabilities', capabilitiesRequestFromJson, blender.getCapabilities, {
    json: asItIs,
    preview: asItIs,
    access: blenderRules.getCapabilities,
  })
  app.get('/openapi.json', { config: { access: { rule: 'public' } } }, async () => openApi())
  void app.register(async (scope) => {
    addBodyParser(scope, contentTypes.proto, { maxBodyBytes, room }, (bytes) => bytes)
    addConnectRoutes(scope, options)
  })
  return app
}

/** What differs between the routes. */
interface RouteOptions<Request, Response> {
  readonly json: (response: Response) => unknown
  /** The request as GET answers it. */
  readonly preview: (request: Request) => Request
  readonly access: CallRule<Request>
}

/** A message without enums is JSON already, and a call that records nothing is its own preview. */
function asItIs<Message>(message: Message): Message {
  return message
}

/** A request that records nothing. */
function dry<Request extends { evaluation?: Evaluation | undefined }>(request: Request): Request {
  return { ...request, evaluation: dryRun }
}

function traceIn({ headers }: FastifyRequest): MessageHeaders {
  return traceHeaders(headers['traceparent'], headers['tracestate'])
}

/** The body of an error. The message begins with the field. */
function errorBody({ code, message, retryable }: ContractError | AccessError) {
  const field = code === 'CALL_INVALID_ARGUMENT' || code === 'ACCESS_FIELD_DENIED' ? (fieldOf(message) ?? '') : ''
  return { error: { code, field, message, retryable } }
}

function fieldOf(message: string): string | undefined {
  return /^[\w.[\]]+(?=: )/.exec(message)?.[0]
}

/** Replaces the name of the proto field in an error by the name of the JSON field, which the caller knows. */
function inJson(error: unknown): unknown {
  const field = isContractError(error, 'CALL_INVALID_ARGUMENT') ? fieldOf(error.message) : undefined
  if (!isContractError(error) || field === undefined) return error
  const name = field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return new ContractError(error.code, `${name}${error.message.slice(field.length)}`, { cause: error })
}

const faults: Readonly<Record<ConnectionFault, ContractError>> = {
  malformed: new ContractError('CALL_INVALID_ARGUMENT', 'request: is not valid HTTP'),
  headers: new ContractError('CALL_INVALID_ARGUMENT', 'headers: are too large; send less, see http.maxHeaderBytes'),
  slow: new ContractError('CALL_DEADLINE_EXCEEDED', 'the request did not arrive in time; send it again'),
}
