import type { IngestCode, IngestProblem } from '@freshet/contracts/json/problems'
import { BodyError, type BodyFault } from '@freshet/service/http-body'
import { retryAfterSeconds } from '@freshet/service/rate-limits'
import type { FastifyRequest } from 'fastify'

/** A problem of the request as a whole, so it names no field. */
export function problemOf(what: string, code: IngestCode, text: string): IngestProblem {
  return { code, field: '', message: `${what} ${text}` }
}

/** The value of `Retry-After` for a problem that may pass, seconds. */
export function retryAfter({ retryAfterMs }: IngestProblem, config: { readonly retryAfterSeconds: number }): number {
  return retryAfterMs === undefined ? config.retryAfterSeconds : retryAfterSeconds(retryAfterMs)
}

/** The problem that the client gets for a defect. */
export const internalProblem = problemOf(
  'the request',
  'INGEST_INTERNAL',
  'failed because of a defect in the service; send the same event ids again',
)

/** The problem that the client gets for an error of the HTTP server. `accepted`: the content types that the route accepts. */
export function problemOfError(error: unknown, request: FastifyRequest, accepted: string): IngestProblem {
  if (error instanceof BodyError) return problemOf('the body', codeOfBodyFault[error.fault], error.message)
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const given = request.headers['content-type'] ?? 'none'
    return problemOf('the body', 'CONTENT_TYPE', `has the content type ${given.slice(0, 80)}; send ${accepted}`)
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return problemOf('the request', 'REQUEST_MALFORMED', `is malformed: ${(error as Error).message}`)
  }
  return internalProblem
}

const codeOfBodyFault: Readonly<Record<BodyFault, IngestCode>> = {
  malformed: 'BODY_MALFORMED',
  'too deep': 'BODY_TOO_DEEP',
  'too large': 'BODY_TOO_LARGE',
  encoding: 'CONTENT_TYPE',
  'no room': 'INGEST_OVERLOADED',
}
