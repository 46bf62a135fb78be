import type { FastifyInstance } from 'fastify'

/** What browsers of other origins may do. */
export interface CorsOptions {
  /** Exact origins such as `https://www.example.org`, or `*`; none: no header is sent, and browsers keep to their own origin. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
}

/** Lets pages of the given origins use an HTTP API: answers preflights, and marks every answer, errors included. Cookies are never allowed. */
export function allowOrigins(app: FastifyInstance, options: CorsOptions): void {
  if (options.origins.length === 0) return
  const any = options.origins.includes('*')
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || !(any || options.origins.includes(origin))) return
    reply.header('access-control-allow-origin', any ? '*' : origin).header('vary', 'origin')
    reply.header('access-control-expose-headers', 'retry-after')
    if (request.method !== 'OPTIONS') return
    reply.header('access-control-allow-methods', options.methods.join(', '))
    reply
      .header('access-control-allow-headers', 'content-type, content-encoding')
      .header('access-control-max-age', '600')
    await reply.code(204).send()
  })
}
