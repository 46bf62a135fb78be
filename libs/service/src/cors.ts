import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What web pages from other origins may do. */
export interface CorsOptions {
  /** Exact origins such as `https://www.example.org`, or `*`. Empty: the server sends no CORS header, and browsers allow only its own origin. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Origins of the keys, which may change; null: the process has no keys. */
  readonly keyOrigins: (() => ReadonlySet<string>) | null
}

const allowedHeaders = [
  'content-type',
  'content-encoding',
  'freshet-key',
  'authorization',
  'traceparent',
  'tracestate',
  'connect-protocol-version',
  'connect-timeout-ms',
]

/** Lets web pages from the given origins use an HTTP API: answers preflights and adds CORS headers to every answer, including errors. It never allows cookies. */
export function allowOrigins(app: FastifyInstance, { origins, methods, keyOrigins }: CorsOptions): void {
  if (origins.length === 0 && keyOrigins === null) return
  const mayAsk = (origin: string): boolean => {
    const ofKeys = keyOrigins?.()
    return origins.includes(origin) || ofKeys?.has(origin) === true || ofKeys?.has('*') === true
  }
  app.register(cors, {
    origin: origins.includes('*')
      ? '*'
      : (origin, done) => {
          done(null, origin !== undefined && mayAsk(origin))
        },
    methods: [...methods],
    allowedHeaders: [...allowedHeaders],
    exposedHeaders: ['retry-after', 'www-authenticate'],
    maxAge: 600,
    strictPreflight: false,
  })
}
