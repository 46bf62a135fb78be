import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { isJsonObject, isDeeperThan, maxJsonDepth, kindOf } from '@freshet/contracts/json/fields'
import { parsePinJson } from '@freshet/contracts/json/pin'
import { ingestProblems, problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { parseTime, timeFault } from '@freshet/contracts/json/time'
import { allowOrigins } from '@freshet/service/cors'
import { listenError } from '@freshet/service/errors'
import { JsonBodyError, parseJsonBody } from '@freshet/service/json-body'
import type { Logger } from '@freshet/service/logging'
import type { Metrics } from '@freshet/service/metrics'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { IngestConfig } from './config.ts'
import type { Answer, Ingest } from './ingest.ts'

/** What the HTTP server needs. */
export interface HttpOptions {
  readonly ingest: Ingest
  readonly config: IngestConfig
  readonly origins: readonly string[]
  readonly metrics: Metrics
  readonly logger: Logger
}

type Events = { readonly events: readonly unknown[]; readonly single: boolean; readonly sentAt: unknown }

const maxReceiveMs = 30_000

declare module 'fastify' {
  interface FastifyRequest {
    /** Gives back what the body being received was counted with. */
    releaseBody: (() => void) | null
    /** What the body weighed, once it was read. */
    bodyBytes: number
  }
}

/** The HTTP JSON server before it listens: `POST /v1/engagements`, `POST /v1/pins`, `DELETE /v1/users/{id}`. It translates; ingest decides. */
export function createHttpApp(options: HttpOptions): FastifyInstance {
  const { ingest, config, logger } = options
  const requests = options.metrics.counter('freshet_ingest_requests_total')
  const app = fastify({
    logger: false,
    bodyLimit: config.maxBodyBytes,
    // A body that trickles in would hold its share of what may wait.
    requestTimeout: maxReceiveMs,
    routerOptions: { maxParamLength: 4_096 },
    clientErrorHandler: (_error, socket) => {
      const body = errorBody(problemAt('', 'the request', 'REQUEST_MALFORMED', 'is no valid HTTP'))
      if (socket.writable)
        socket.end(
          `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        )
      else socket.destroy()
    },
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
    const { receipts, accepted } = result
    return reply
      .code(accepted > 0 ? 202 : 400)
      .type('application/json')
      .send(JSON.stringify({ accepted, rejected: receipts.length - accepted, receipts }))
  }

  app.decorateRequest('releaseBody', null)
  app.decorateRequest('bodyBytes', 0)
  allowOrigins(app, { origins: options.origins, methods: ['POST', 'DELETE'] })
  app.addHook('onRequest', async (request, reply) => {
    // Bodies count while they are received, too: else many slow large ones would not be bounded by anything.
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    const declared = encoding === undefined ? Number(length ?? 0) : config.maxBodyBytes
    const release = ingest.inFlight.take(Math.min(declared, config.maxBodyBytes))
    if (release === null) {
      const text = 'was not taken: too much waits for the log; send it again'
      await refuse(reply, problemAt('', 'the request', 'INGEST_OVERLOADED', text))
      return
    }
    request.releaseBody = release
    reply.raw.once('close', release)
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.bodyBytes = body.length
    try {
      done(null, request.method === 'DELETE' ? undefined : parseJsonBody(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request, config)
    if (problem.code === 'INGEST_INTERNAL') logger.error({ err: error }, 'request failed')
    return refuse(reply, problem)
  })
  app.setNotFoundHandler((request, reply) => {
    const text = 'is unknown; there are POST /v1/engagements, POST /v1/pins and DELETE /v1/users/{id}'
    return refuse(reply, problemAt('', `${request.method} ${request.url.slice(0, 80)}`, 'ROUTE_UNKNOWN', text))
  })

  app.post('/v1/engagements', async (request, reply) => {
    const body = eventsOf(request.body, 'engagements', 'eventId', ['sentAt'])
    if ('code' in body) return refuse(reply, body)
    const fault = body.sentAt === undefined ? null : timeFault(body.sentAt)
    if (fault !== null) return refuse(reply, problemAt('', 'sentAt', fault.code, fault.text))
    const sentAtMs = body.sentAt === undefined ? null : parseTime(body.sentAt as string)
    const bytes = handOver(request)
    return answer(reply, await ingest.takeEngagements({ ...body, read: parseEngagementJson, sentAtMs, bytes }))
  })
  app.post('/v1/pins', async (request, reply) => {
    const body = eventsOf(request.body, 'pins', 'pinId', [])
    if ('code' in body) return refuse(reply, body)
    const bytes = handOver(request)
    return answer(reply, await ingest.takePins({ ...body, read: parsePinJson, bytes }))
  })
  app.delete<{ Params: { id: string } }>('/v1/users/:id', async (request, reply) => {
    handOver(request)
    const { id: userId } = request.params
    const result = await ingest.eraseUser(userId)
    const receipt = result.kind === 'taken' ? result.receipts[0] : result.problem
    if (receipt !== undefined && 'code' in receipt) return refuse(reply, receipt)
    requests.inc({ protocol: 'http', outcome: 'accepted' })
    return reply.code(202).send({ userId })
  })
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

/** Stops counting the body as one being received and says what it weighs; from here on ingest counts it. */
function handOver(request: FastifyRequest): number {
  request.releaseBody?.()
  return request.bodyBytes
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
    if (isDeeperThan(body, maxJsonDepth))
      return problemAt('', 'the body', 'BODY_TOO_DEEP', `is nested too deep; ${wanted}`)
    return problemAt('', 'the body', 'BODY_SHAPE', `is ${body === undefined ? 'empty' : kindOf(body)}; ${wanted}`)
  }
  const events = body[list]
  if (events === undefined) {
    if (idField in body || Object.keys(body).length > 0) return { events: [body], single: true, sentAt: undefined }
    return problemAt('', 'the body', 'BODY_SHAPE', `is an empty object; ${wanted}`)
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
  return { events: events as readonly unknown[], single: false, sentAt: body['sentAt'] }
}

function errorBody({ code, field, message }: IngestProblem): string {
  return JSON.stringify({ error: { code, field, message, retryable: ingestProblems[code].retryable } })
}

function problemOf(error: unknown, request: FastifyRequest, config: IngestConfig): IngestProblem {
  if (error instanceof JsonBodyError) return { code: 'BODY_MALFORMED', field: '', message: error.message }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const about = (problem: IngestCode, text: string) => problemAt('', 'the body', problem, text)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return about('BODY_TOO_LARGE', `has more than ${config.maxBodyBytes} bytes; send smaller batches`)
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const given = request.headers['content-type'] ?? 'none'
    return about('CONTENT_TYPE', `has the content type ${given.slice(0, 80)}; send application/json`)
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return problemAt('', 'the request', 'REQUEST_MALFORMED', `is malformed: ${(error as Error).message}`)
  }
  return problemAt(
    '',
    'the request',
    'INGEST_INTERNAL',
    'failed: a defect of the service; send the same event ids again',
  )
}
