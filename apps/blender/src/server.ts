import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import type { Evaluation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { createByteRoom } from '@freshet/service/byte-room'
import { bodyStatus, createHttpApp as createApp } from '@freshet/service/http-app'
import { BodyError } from '@freshet/service/http-body'
import type { Metrics } from '@freshet/service/metrics'
import type { HttpLimits } from '@freshet/service/settings'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { feedToJson, relatedPinsToJson } from './json-answer.ts'
import { dryRun, feedRequestFromJson, jsonFromQuery, relatedRequestFromJson } from './json-request.ts'

/** What the HTTP server needs. */
export interface HttpOptions {
  readonly blender: Blender
  /** Time for an answer. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  readonly limits: HttpLimits
  /** Origins of pages that may ask; `*`: all. */
  readonly origins: readonly string[]
  readonly metrics: Metrics
  /** Time that never goes back, milliseconds. */
  readonly nowMs: () => number
  /** Told of defects. */
  readonly onDefect: (error: unknown) => void
}

const statusOf: Readonly<Partial<Record<ErrorCode, number>>> = {
  CALL_INVALID_ARGUMENT: 400,
  CALL_CANCELLED: 499,
  CALL_DEADLINE_EXCEEDED: 504,
  CALL_UNAVAILABLE: 503,
  LOG_UNAVAILABLE: 503,
  LOG_TLS_FAILED: 503,
  LOG_LOGIN_REFUSED: 503,
}

const routes = 'GET and POST /v1/feed, GET and POST /v1/related'

/** How many of the largest bodies may be received at the same time. */
const largestBodies = 64

/**
 * The HTTP JSON server before it listens: the same messages as over gRPC, for people without its tools. It translates and
 * decides nothing. GET is safe, so caches, crawlers and clients that give up use up none of a user's pins: it looks (a dry
 * run) and records nothing. POST serves.
 */
export function createHttpApp(options: HttpOptions): FastifyInstance {
  const { blender, timeoutMs, maxBodyBytes, limits, origins, metrics, nowMs, onDefect } = options
  const app = createApp({
    name: 'feed',
    limits,
    maxBodyBytes,
    room: createByteRoom(largestBodies * maxBodyBytes, nowMs),
    origins,
    methods: ['GET', 'POST'],
    answerTo: (fault) => JSON.stringify(errorBody(fault === 'slow' ? tooSlow : noHttp)),
    metrics,
  })
  app.setErrorHandler((error, _request, reply) => {
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
    const text = `path: ${request.method} ${request.url.slice(0, 80)} is unknown; there are ${routes}`
    return refuse(reply, 404, new ContractError('CALL_INVALID_ARGUMENT', text))
  })

  function refuse(reply: FastifyReply, status: number, error: ContractError): FastifyReply {
    if (error.code === 'CALL_INTERNAL') onDefect(error)
    if (status === 503) reply.header('retry-after', '1')
    return reply.code(status).send(errorBody(error))
  }

  function route<Request extends { evaluation?: Evaluation | undefined }, Response>(
    path: string,
    read: (json: unknown) => Request,
    ask: (request: Request, call: CallOptions) => Promise<Response>,
    json: (response: Response) => unknown,
  ): void {
    const answer = async (request: Request, reply: FastifyReply, headers: MessageHeaders) => {
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
    app.get(path, async (request, reply) => {
      const asked = read(jsonFromQuery(request.query as Record<string, unknown>))
      return answer({ ...asked, evaluation: dryRun }, reply, traceIn(request))
    })
    app.post(path, async (request, reply) => answer(read(request.body), reply, traceIn(request)))
  }

  route('/v1/feed', feedRequestFromJson, blender.getFeed, feedToJson)
  route('/v1/related', relatedRequestFromJson, blender.getRelatedPins, relatedPinsToJson)
  return app
}

function traceIn({ headers }: FastifyRequest): MessageHeaders {
  return traceHeaders(headers['traceparent'], headers['tracestate'])
}

/** What an error answers. The field is what the message begins with. */
function errorBody({ code, message, retryable }: ContractError) {
  const field = code === 'CALL_INVALID_ARGUMENT' ? (fieldOf(message) ?? '') : ''
  return { error: { code, field, message, retryable } }
}

function fieldOf(message: string): string | undefined {
  return /^[\w.[\]]+(?=: )/.exec(message)?.[0]
}

/** Fields have other names in JSON than in protos: an error of the blender names them as the caller knows them. */
function inJson(error: unknown): unknown {
  const field = isContractError(error, 'CALL_INVALID_ARGUMENT') ? fieldOf(error.message) : undefined
  if (!isContractError(error) || field === undefined) return error
  const name = field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return new ContractError(error.code, `${name}${error.message.slice(field.length)}`, { cause: error })
}

const noHttp = new ContractError('CALL_INVALID_ARGUMENT', 'request: is not valid HTTP')
const tooSlow = new ContractError('CALL_DEADLINE_EXCEEDED', 'the request did not arrive in time; send it again')
