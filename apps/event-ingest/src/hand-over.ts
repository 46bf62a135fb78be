import type { FastifyRequest } from 'fastify'

/** Stops counting the body as an arriving one and returns its size in bytes; from here on ingest counts it. */
export function handOver(request: FastifyRequest): number {
  request.received?.end()
  return request.bodyBytes
}
