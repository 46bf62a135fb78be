import { describe, expect, it } from 'vitest'
import { ciValues, environmentOf, needed, ofKind, podOf, render, set, variablesOf, workloads } from './rendered.ts'

describe('shards of candidate-service', () => {
  const shards = workloads(render(ciValues('shards'))).filter(({ metadata }) => metadata.labels['app.kubernetes.io/name'] === 'candidate-service')

  it('are one StatefulSet each, which knows its index and the addresses of the others in their order', () => {
    expect(shards.map(({ kind, metadata, spec }) => [kind, metadata.name, spec.replicas])).toEqual(
      [0, 1, 2, 3].map((index) => ['StatefulSet', `freshet-candidate-service-shard-${index}`, 2]),
    )
    shards.forEach((shard, index) => {
      const others = [0, 1, 2, 3].filter((other) => other !== index)
      expect(environmentOf(podOf(shard).containers[0])).toMatchObject({
        FRESHET_CANDIDATES_SHARD_INDEX: String(index),
        FRESHET_CANDIDATES_SHARD_COUNT: '4',
        FRESHET_CANDIDATES_SHARD_PEERS: others.map((other) => `dns:///freshet-candidate-service-shard-${other}:7071`).join(','),
      })
    })
  })

  it('have a headless Service each, and callers reach the pods of all of them by one', () => {
    const found = ofKind(render(ciValues('shards')), 'Service').filter(({ metadata }) => metadata.name.includes('candidate'))
    const labels = (selector: unknown) => selector as Readonly<Record<string, string>>
    for (const { metadata, spec } of found) {
      const selector = labels((spec as unknown as { selector: unknown }).selector)
      expect(spec.clusterIP).toBe('None')
      const selected = shards.filter(({ spec: { template } }) => Object.entries(selector).every(([name, value]) => template!.metadata.labels[name] === value))
      expect(selected.map((shard) => shard.metadata.name)).toEqual(
        metadata.name === 'freshet-candidate-service' ? shards.map((shard) => shard.metadata.name) : [metadata.name],
      )
    }
    expect(found).toHaveLength(5)
  })

  it('need the port by which they call each other', () => {
    expect(() => render(set('services.candidate-service.shards=2', 'services.candidate-service.ports.grpc=null', 'services.blender.config.CANDIDATE_SERVICE_ADDRESS=c:1'))).toThrow(/shards call each other/)
  })

  it('a service with one shard has no settings of shards', () => {
    expect(Object.keys(variablesOf('candidate-service', needed)).filter((name) => name.includes('SHARD'))).toEqual([])
  })
})
