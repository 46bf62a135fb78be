import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What pages of other origins may do in a browser. */
export interface CorsOptions {
  /** Exact origins such as `https://www.example.org`, or `*`; none: no header is sent, and browsers keep to their own origin. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
}

/** Lets pages of the given origins use an HTTP API: answers preflights, and marks every answer, errors included. Cookies are never allowed. */
export function allowOrigins(app: FastifyInstance, { origins, methods }: CorsOptions): void {
  if (origins.length === 0) return
  app.register(cors, {
    origin: origins.includes('*')
      ? '*'
      : (origin, done) => {
          done(null, origin !== undefined && origins.includes(origin))
        },
    methods: [...methods],
    allowedHeaders: ['content-type', 'content-encoding'],
    exposedHeaders: ['retry-after'],
    maxAge: 600,
    strictPreflight: false,
  })
}
