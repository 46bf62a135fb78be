import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { GetFeedResponse, GetRelatedPinsResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { allowOrigins } from '@freshet/service/cors'
import { listenError } from '@freshet/service/errors'
import { parseJsonBody } from '@freshet/service/json-body'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { feedRequestFromJson, jsonFromQuery, relatedRequestFromJson } from './json-request.ts'

/** What the HTTP server needs. */
export interface HttpOptions {
  readonly blender: Blender
  /** Time for an answer. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** Origins of pages that may ask; `*`: all. */
  readonly origins: readonly string[]
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

/** The HTTP JSON server before it listens: the same messages as over gRPC, for people without its tools. It translates and decides nothing. */
export function createHttpApp({ blender, timeoutMs, maxBodyBytes, origins, onDefect }: HttpOptions): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: maxBodyBytes })
  allowOrigins(app, { origins, methods: ['GET', 'POST'] })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer))
    } catch (error) {
      done(new ContractError('CALL_INVALID_ARGUMENT', `body: ${(error as Error).message}`), undefined)
    }
  })
  app.setErrorHandler((error, _request, reply) => {
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
    const { code, message, retryable } = error
    if (code === 'CALL_INTERNAL') onDefect(error)
    if (status === 503) reply.header('retry-after', '1')
    const field = code === 'CALL_INVALID_ARGUMENT' ? (/^[\w.[\]]+(?=: )/.exec(message)?.[0] ?? '') : ''
    return reply.code(status).send({ error: { code, field, message, retryable } })
  }

  function route<Request, Response>(
    path: string,
    read: (json: unknown) => Request,
    ask: (request: Request, call: CallOptions) => Promise<Response>,
    json: (response: Response) => unknown,
  ): void {
    const answer = async (given: unknown, reply: FastifyReply) => {
      const gone = new AbortController()
      const onClose = () => {
        if (!reply.raw.writableEnded) gone.abort()
      }
      reply.raw.once('close', onClose)
      return json(await ask(read(given), { timeoutMs, signal: gone.signal }))
    }
    app.get(path, async (request, reply) => answer(jsonFromQuery(request.query as Record<string, unknown>), reply))
    app.post(path, async (request, reply) => answer(request.body, reply))
  }

  route('/v1/feed', feedRequestFromJson, blender.getFeed, (response) => GetFeedResponse.toJSON(response))
  route('/v1/related', relatedRequestFromJson, blender.getRelatedPins, (response) =>
    GetRelatedPinsResponse.toJSON(response),
  )
  return app
}

/** Listens; the port is the one given or, with 0, the one the system chose. Throws PORT_IN_USE or LISTEN_FAILED. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw listenError(error, host, port)
  }
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
