import { AccessError } from '@freshet/access/errors'
import { isLoopback } from '@freshet/access/loopback'
import type { FastifyInstance } from 'fastify'

/** Whether a server answers for a host name, as in a URL. */
export type IsOurHost = (name: string) => boolean

/** The names of this machine for itself, and `more`. */
export function hostNames(more: readonly string[]): IsOurHost {
  return (name) => isLoopback(name) || more.includes(name)
}

/**
 * Refuses requests for other names. A web page whose name leads to this machine (DNS rebinding) counts for browsers as the same
 * origin as the server, so it could send and read everything that somebody on this machine can.
 */
export function checkHosts(app: FastifyInstance, isOurs: IsOurHost, onRefused: (code: string) => void): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { host } = request.headers
    // Browsers always send one.
    if (host === undefined || isOurs(hostOf(`http://${host}`))) return done()
    onRefused('ACCESS_HOST_REFUSED')
    const name = JSON.stringify(host.slice(0, 100))
    done(
      new AccessError(
        'ACCESS_HOST_REFUSED',
        `this server does not answer for the host ${name}; call it by localhost, or allow the name`,
      ),
    )
  })
}

/** The host name of a URL without its port; empty: it has none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}
