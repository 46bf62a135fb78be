import type { FastifyInstance } from 'fastify'

/**
 * Sets what a browser may do with answers of the console: nothing from other hosts, no frames, no referrer. `imageOrigins`: web
 * origins besides its own from which the page may load pictures.
 */
export function addSecurityHeaders(app: FastifyInstance, imageOrigins: readonly string[]): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${["'self'", 'data:', 'blob:', ...imageOrigins].join(' ')}`,
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  const headers = {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  }
  app.addHook('onSend', (_request, reply, payload, done) => {
    for (const [name, value] of Object.entries(headers)) if (!reply.hasHeader(name)) reply.header(name, value)
    done(null, payload)
  })
}

/** The policy of a picture that somebody opens as a page of its own: it runs nothing. */
export const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
