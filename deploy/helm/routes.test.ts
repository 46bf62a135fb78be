import { describe, expect, it } from 'vitest'
import { openApi } from '../../apps/event-ingest/src/openapi.ts'
import { ciValues, needed, ofKind, render, set } from './rendered.ts'

interface Route {
  readonly parentRefs: readonly object[]
  readonly hostnames: readonly string[]
  readonly rules: readonly { readonly matches: readonly { readonly path?: { readonly value: string }; readonly method?: { readonly service: string } }[]; readonly backendRefs: readonly { readonly name: string; readonly port: number }[] }[]
}
const route = (kind: string, args: readonly string[]): Route => ofKind(render(args), kind)[0]!.spec as unknown as Route

/** Where a route leads a path; undefined: nowhere. */
function backendOf({ rules }: Route, path: string): string | undefined {
  return rules
    .flatMap(({ matches, backendRefs }) => matches.map((match) => ({ prefix: match.path!.value, backend: `${backendRefs[0]!.name}:${backendRefs[0]!.port}` })))
    .filter(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0]?.backend
}

describe('ways from outside', () => {
  it('do not exist unless they are asked for', () => {
    expect(render(needed).filter(({ kind }) => ['HTTPRoute', 'GRPCRoute', 'Ingress'].includes(kind))).toEqual([])
  })

  it('lead HTTP to the public ports; the longest prefix decides', () => {
    const way = route('HTTPRoute', ciValues('gateway'))
    expect([way.hostnames, way.parentRefs]).toEqual([['feeds.example.org'], [{ name: 'public', namespace: 'gateways' }]])
    expect(backendOf(way, '/v1/engagements')).toBe('freshet-event-ingest:8080')
    expect(backendOf(way, '/v1/feed')).toBe('freshet-blender:8070')
    expect(backendOf(way, '/freshet.blending.v1.Blender/GetFeed')).toBe('freshet-blender:8070')
    expect(backendOf(way, '/freshet.ingest.v1.EventIngest/AppendEngagements')).toBe('freshet-event-ingest:8080')
    expect(backendOf(way, '/metrics')).toBeUndefined()
  })

  it('lead every public path of event-ingest to it', () => {
    const { paths } = openApi({ maxBatchEvents: 1, embeddingWidth: null }, { hasConnectors: true }) as unknown as { paths: Readonly<Record<string, unknown>> }
    const way = route('HTTPRoute', ciValues('gateway'))
    const elsewhere = Object.keys(paths).filter((path) => backendOf(way, path) !== 'freshet-event-ingest:8080')
    // The catalogue has the admin port, and the description of the paths needs no way from outside.
    expect(elsewhere.filter((path) => !/^\/v1\/(pins|creators|boards)|openapi/.test(path))).toEqual([])
    expect(Object.keys(paths).length - elsewhere.length).toBeGreaterThanOrEqual(4)
  })

  it('lead gRPC by the name of the service', () => {
    const { rules } = route('GRPCRoute', ciValues('gateway'))
    expect(rules.map(({ matches, backendRefs }) => [matches[0]!.method!.service, backendRefs[0]!.name, backendRefs[0]!.port])).toEqual([
      ['freshet.ingest.v1.EventIngest', 'freshet-event-ingest', 7073],
      ['freshet.blending.v1.Blender', 'freshet-blender', 7070],
    ])
  })

  it('never lead to the admin port or to inner services', () => {
    for (const name of ['gateway', 'ingress', 'everything']) {
      const ways = render(ciValues(name)).filter(({ kind }) => ['HTTPRoute', 'GRPCRoute', 'Ingress'].includes(kind))
      expect(ways.length).toBeGreaterThan(0)
      expect(JSON.stringify(ways)).not.toMatch(/8081|admin|operations|freshet-ranker|freshet-candidate|trainer/)
    }
  })

  it('an Ingress has the host name, the certificate and both services', () => {
    const [ingress] = ofKind(render(ciValues('ingress')), 'Ingress')
    expect(ingress!.spec).toMatchObject({ ingressClassName: 'nginx', tls: [{ secretName: 'feeds-tls', hosts: ['feeds.example.org'] }], rules: [{ host: 'feeds.example.org' }] })
    expect(new Set(JSON.stringify(ingress).match(/freshet-(blender|event-ingest)/g))).toEqual(new Set(['freshet-blender', 'freshet-event-ingest']))
  })

  it('leave out a service whose port is null, and refuse a route without a Gateway', () => {
    const args = [...ciValues('gateway'), '--set', 'services.event-ingest.ports.grpc=null']
    expect(route('GRPCRoute', args).rules).toHaveLength(1)
    expect(() => render(set('routes.http.enabled=true'))).toThrow(/routes\.http\.parentRefs/)
  })
})
