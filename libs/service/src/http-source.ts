import type { FastifyRequest } from 'fastify'
import type { CallSource } from './rate-limits.ts'

/** Where an HTTP request comes from. */
export function httpSource(request: FastifyRequest): CallSource {
  const forwarded = request.headers['x-forwarded-for'] ?? ''
  return {
    caller: request.caller,
    peer: request.raw.socket.remoteAddress ?? '',
    forwarded: typeof forwarded === 'string' ? forwarded : forwarded.join(','),
  }
}
