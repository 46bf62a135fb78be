import { describe, expect, it } from 'vitest'
import { needed, ofKind, render, variablesOf } from './rendered.ts'

describe('Services', () => {
  it('of candidate-service and ranker are headless, and the blender balances its calls over the pods that they name', () => {
    for (const [name, variable] of [['candidate-service', 'FRESHET_CANDIDATE_SERVICE_ADDRESS'], ['ranker', 'FRESHET_RANKER_ADDRESS']] as const) {
      const service = ofKind(render(needed), 'Service').find(({ metadata }) => metadata.name === `freshet-${name}`)!
      expect(service.spec).toMatchObject({ clusterIP: 'None', ports: [{ name: 'grpc', appProtocol: 'grpc', targetPort: 'grpc' }] })
      expect(variablesOf('blender', needed)[variable]).toBe(`dns:///freshet-${name}:${service.spec.ports![0]!.port}`)
    }
  })

  it('exist for every StatefulSet, as Kubernetes wants', () => {
    const resources = render(needed)
    const names = ofKind(resources, 'Service').map(({ metadata }) => metadata.name)
    const sets = ofKind(resources, 'StatefulSet')
    expect(sets).toHaveLength(3)
    for (const { spec } of sets) expect(names).toContain((spec as unknown as { serviceName: string }).serviceName)
  })

  it('close gRPC connections after a time, so that clients find new pods; the time is a setting', () => {
    const args = [...needed, '--set', 'services.ranker.config.GRPC_MAX_CONNECTION_AGE_MS=60000']
    expect(variablesOf('ranker', args)['FRESHET_GRPC_MAX_CONNECTION_AGE_MS']).toBe('60000')
  })
})
