import { describe, expect, it } from 'vitest'
import { ciValues, needed, ofKind, render, set, workloadOf } from './rendered.ts'

interface Scaled {
  readonly scaleTargetRef: { readonly kind: string; readonly name: string }
  readonly minReplicaCount: number
  readonly maxReplicaCount: number
  readonly fallback: object
  readonly triggers: readonly { readonly metadata: Readonly<Record<string, string>>; readonly authenticationRef?: object }[]
}
const scaledObject = (args: readonly string[]): Scaled => ofKind(render(args), 'ScaledObject')[0]!.spec as unknown as Scaled

describe('autoscaling', () => {
  it('is off unless it is asked for', () => {
    expect(render(needed).filter(({ kind }) => ['ScaledObject', 'HorizontalPodAutoscaler', 'TriggerAuthentication'].includes(kind))).toEqual([])
  })

  it('of the updater follows the lag of both of its topics, within bounds, and falls back to a fixed number', () => {
    const scaled = scaledObject(ciValues('autoscaling'))
    expect(scaled).toMatchObject({
      scaleTargetRef: { kind: 'StatefulSet', name: 'freshet-feature-updater' },
      minReplicaCount: 1,
      maxReplicaCount: 32,
      fallback: { failureThreshold: 4, replicas: 4 },
    })
    expect(scaled.triggers.map(({ metadata }) => metadata['topic'])).toEqual(['engagements.v1', 'pin-engagements.v1'])
    for (const { metadata, authenticationRef } of scaled.triggers) {
      expect(metadata).toMatchObject({ consumerGroup: 'feature-updater', excludePersistentLag: 'true', tls: 'enable', sasl: 'scram_sha256', lagThreshold: '1000' })
      expect(authenticationRef).toEqual({ name: 'freshet-feature-updater' })
    }
  })

  it('reads the login from the secret of the pods, and nothing where there is none', () => {
    const [authentication] = ofKind(render(ciValues('autoscaling')), 'TriggerAuthentication')
    expect(authentication!.spec).toEqual({
      env: [{ parameter: 'username', name: 'FRESHET_KAFKA_SASL_USERNAME', containerName: 'feature-updater' }],
      secretTargetRef: [
        { parameter: 'password', name: 'kafka-user', key: 'password' },
        { parameter: 'ca', name: 'kafka-ca', key: 'ca.crt' },
        { parameter: 'cert', name: 'kafka-client', key: 'tls.crt' },
        { parameter: 'key', name: 'kafka-client', key: 'tls.key' },
      ],
    })
    const plain = set('services.feature-updater.autoscaling.enabled=true', 'services.feature-updater.config.UPDATER_GROUP=other')
    expect(ofKind(render(plain), 'TriggerAuthentication')).toEqual([])
    expect(scaledObject(plain).triggers[0]).toMatchObject({ metadata: { consumerGroup: 'other' } })
    expect(scaledObject(plain).triggers[0]).not.toHaveProperty('authenticationRef')
    // TLS with a public authority and no login: no secret, and no empty list of them, which the API server would refuse.
    const publicTls = [...plain, '--set', 'kafka.tls.enabled=true']
    expect(ofKind(render(publicTls), 'TriggerAuthentication')).toEqual([])
    expect(scaledObject(publicTls).triggers[0]).toMatchObject({ metadata: { tls: 'enable' } })
    expect(scaledObject(publicTls).triggers[0]).not.toHaveProperty('authenticationRef')
  })

  it('of stateless services follows their CPU, and the Deployments leave the number to it', () => {
    const resources = render(ciValues('autoscaling'))
    const scalers = ofKind(resources, 'HorizontalPodAutoscaler')
    expect(scalers.map(({ metadata }) => metadata.name)).toEqual(['freshet-blender', 'freshet-event-ingest', 'freshet-ranker'])
    for (const { spec } of scalers) {
      const { scaleTargetRef } = spec as unknown as Scaled
      const target = resources.find(({ kind, metadata }) => kind === scaleTargetRef.kind && metadata.name === scaleTargetRef.name)
      expect(target!.spec).not.toHaveProperty('replicas')
    }
    expect(workloadOf(resources, 'feature-updater').spec).not.toHaveProperty('replicas')
    expect(workloadOf(render(needed), 'blender').spec.replicas).toBe(2)
  })

  it.each([
    ['more updaters than partitions', ['services.feature-updater.autoscaling.maxReplicas=33'], /maxReplicas is 33, more than topics\.partitions, 32/],
    ['no updater', ['services.feature-updater.autoscaling.minReplicas=0'], /minReplicas/],
    ['bounds in the wrong order', ['services.feature-updater.autoscaling.minReplicas=9'], /minReplicas is 9, more than maxReplicas, 8/],
    ['a fallback above the bound', ['services.feature-updater.autoscaling.fallbackReplicas=9'], /fallbackReplicas is 9/],
  ])('refuses %s', (_name, values, message) => {
    expect(() => render(set('services.feature-updater.autoscaling.enabled=true', ...values))).toThrow(message)
  })

  it('refuses a share of a CPU that is not requested, and autoscaling of services with state', () => {
    expect(() => render(set('services.ranker.autoscaling.enabled=true', 'services.ranker.resources.requests.cpu=null'))).toThrow(/requests\.cpu/)
    expect(() => render(set('services.trainer.autoscaling.enabled=true'))).toThrow(/autoscaling/)
  })
})
