import { describe, expect, it } from 'vitest'
import { everything, needed, render, set } from './rendered.ts'
import { services } from './schema.ts'

interface Policy {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly policyTypes: readonly string[]
  readonly ingress: readonly Rule[] | null
  readonly egress: readonly Rule[]
}
interface Rule {
  readonly ports: readonly { readonly port: number | string }[]
  readonly from?: readonly object[]
  readonly to?: readonly object[]
}

/** The policies of the chart by the name of their service. */
function policies(args: readonly string[]): Readonly<Record<string, Policy>> {
  const found = new Map<string, Policy>()
  for (const { kind, spec } of render(args)) {
    if (kind !== 'NetworkPolicy') continue
    const policy = spec as unknown as Policy
    found.set(policy.podSelector.matchLabels['app.kubernetes.io/name'] ?? '', policy)
  }
  return Object.fromEntries(found)
}

describe('the network policies of the chart', () => {
  const portsOf = (rules: readonly Rule[] | null): unknown[] => (rules ?? []).map(({ ports }) => ports.map(({ port }) => port))

  it('are made for every service and for the job, only if they are asked for, and deny both ways', () => {
    expect(policies(needed)).toEqual({})
    const made = policies(set('networkPolicy.enabled=true'))
    expect(Object.keys(made).toSorted()).toEqual([...services, 'topics'].toSorted())
    for (const { policyTypes } of Object.values(made)) expect(policyTypes).toEqual(['Ingress', 'Egress'])
  })

  it('let nobody in by default but callers of the public ports and services that call each other', () => {
    const made = policies(set('networkPolicy.enabled=true'))
    const incoming = Object.fromEntries(Object.entries(made).map(([name, { ingress }]) => [name, portsOf(ingress).flat()]))
    expect(incoming).toEqual({
      'event-ingest': ['grpc', 'http'],
      blender: ['grpc', 'http'],
      'candidate-service': ['grpc'],
      ranker: ['grpc'],
      'feature-updater': [],
      trainer: [],
      topics: [],
    })
    const callers = (name: string): unknown[] =>
      made[name]!.ingress!.flatMap(({ from }) => from ?? []).map(
        (peer) => (peer as Policy).podSelector.matchLabels['app.kubernetes.io/name'],
      )
    expect(callers('candidate-service')).toEqual(['blender', 'candidate-service'])
    expect(callers('ranker')).toEqual(['blender'])
  })

  it('let each service out to name servers, Kafka, Redis if it needs it, and the services that it calls', () => {
    const made = policies(
      set(
        'networkPolicy.enabled=true',
        'kafka.brokers={a:9093,b:9093,c:9094}',
        'redis.url=rediss://cache:6380/1',
        'access.jwt.jwksUrl=https://login.example.org/keys',
        'access.jwt.audience=feeds',
      ),
    )
    const outgoing = Object.fromEntries(Object.entries(made).map(([name, { egress }]) => [name, portsOf(egress.slice(1))]))
    expect(outgoing).toEqual({
      'event-ingest': [[9093, 9094], [6380], [443]],
      blender: [[9093, 9094], [6380], [443], ['grpc']],
      'candidate-service': [[9093, 9094], ['grpc']],
      ranker: [[9093, 9094]],
      'feature-updater': [[9093, 9094], [6380]],
      trainer: [[9093, 9094]],
      topics: [[9093, 9094]],
    })
  })

  it('name only the peers that are given', () => {
    const made = policies(everything)
    expect(made['event-ingest']!.ingress!.map(({ ports, from }) => [ports[0]!.port, from])).toMatchObject([
      ['grpc', [{ namespaceSelector: { matchLabels: { name: 'web' } } }]],
      ['http', [{ namespaceSelector: { matchLabels: { name: 'web' } } }]],
      ['admin', [{ podSelector: { matchLabels: { app: 'catalogue' } } }]],
      ['operations', [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }]],
    ])
    for (const { egress } of Object.values(made)) expect(egress.at(-1)!.ports).toEqual([{ port: 4318 }])
  })
})
