import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What web pages from other origins may do. */
export interface CorsOptions {
  /** Exact origins such as `https://www.example.org`, or `*`. Empty: the server sends no CORS header, and browsers allow only its own origin. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
}

/** Lets web pages from the given origins use an HTTP API: answers preflights and adds CORS headers to every answer, including errors. It never allows cookies. */
export function allowOrigins(app: FastifyInstance, { origins, methods }: CorsOptions): void {
  if (origins.length === 0) return
  app.register(cors, {
    origin: origins.includes('*')
      ? '*'
      : (origin, done) => {
          done(null, origin !== undefined && origins.includes(origin))
        },
    methods: [...methods],
    allowedHeaders: ['content-type', 'content-encoding', 'connect-protocol-version', 'connect-timeout-ms'],
    exposedHeaders: ['retry-after'],
    maxAge: 600,
    strictPreflight: false,
  })
}
