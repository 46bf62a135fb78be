import type { CallRule } from '@freshet/access/rules'
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify'
import { ConsoleError } from '../errors.ts'
import type { Forward } from './forward.ts'
import type { Upstream, Upstreams } from './upstreams.ts'

/** The upstream checks the caller. */
const anybody: CallRule = { rule: 'public' }
const methods: HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE']

/** Adds the calls that the console passes on: `/api/events/*`, `/api/feeds/*`, `/api/admin/*` and `/api/operations/:service/*`. */
export function addProxies(scope: FastifyInstance, upstreams: Upstreams, forward: Forward): void {
  // Bodies pass through as they are.
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload)
  })
  const add = (base: string, upstreamOf: (request: FastifyRequest) => Upstream): void => {
    scope.route({
      method: methods,
      url: `${base}/*`,
      config: { access: anybody },
      handler: async (request, reply) => forward(upstreamOf(request), pathBelow(base, request), request, reply),
    })
  }
  add('/api/events', () => upstreams.events)
  add('/api/feeds', () => upstreams.feeds)
  add('/api/admin', () => upstreams.admin ?? unknownService('admin', []))
  add('/api/operations/:service', ({ params }) => {
    const { service } = params as { readonly service: string }
    return upstreams.operations.get(service) ?? unknownService(service, [...upstreams.operations.keys()])
  })
}

/** The rest of the URL as it came, so that encoded characters stay encoded. */
function pathBelow(base: string, request: FastifyRequest): string {
  const depth = base.split('/').length
  const [path = '', ...query] = (request.raw.url ?? '').split('?')
  const rest = path.split('/').slice(depth)
  // URLs resolve these, also encoded, and take a backslash for a slash; no call of ours has them.
  if (rest.some((part) => part.includes('\\') || /^(\.|%2e){1,2}$/i.test(part)))
    throw new ConsoleError('CONSOLE_PATH_UNKNOWN', 'the path has a part . or .. or a backslash')
  return `/${rest.join('/')}${query.length > 0 ? `?${query.join('?')}` : ''}`
}

function unknownService(name: string, known: readonly string[]): never {
  const text = `the console knows no address of ${JSON.stringify(name.slice(0, 60))}; it knows ${known.join(', ') || 'no other'}`
  throw new ConsoleError('CONSOLE_SERVICE_UNKNOWN', text)
}
