import { describe, expect, it } from 'vitest'
import { environmentOf, everything, needed, podOf, render, set, variablesOf, workloadOf, workloads } from './rendered.ts'

describe('A23 · volumes of the chart', () => {
  it.each([
    ['candidate-service', 'FRESHET_SNAPSHOT_FOLDER'],
    ['trainer', 'FRESHET_CHECKPOINT_FOLDER'],
  ])('%s has a volume for each pod, where it writes', (service, variable) => {
    const workload = workloadOf(render(needed), service)
    const [{ env, volumeMounts }] = podOf(workload).containers
    expect(workload.kind).toBe('StatefulSet')
    expect(workload.spec.volumeClaimTemplates).toEqual([
      expect.objectContaining({ spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } } }),
    ])
    const folder = env!.find(({ name }) => name === variable)!.value
    expect(volumeMounts).toContainEqual({ name: 'data', mountPath: folder })
    for (const off of [`services.${service}.persistence.enabled=false`, `services.${service}.persistence=null`]) {
      const without = workloadOf(render(set(off)), service)
      expect(without.spec.volumeClaimTemplates).toBeUndefined()
      expect(podOf(without).volumes).toContainEqual({ name: 'data', emptyDir: {} })
      expect(podOf(without).containers[0].volumeMounts).toContainEqual({ name: 'data', mountPath: folder })
    }
  })

  it('the ranker has no volume for models, and the trainer shares none', () => {
    const resources = render(needed)
    const ranker = podOf(workloadOf(resources, 'ranker'))
    expect(Object.keys(environmentOf(ranker.containers[0])).filter((name) => name.includes('FOLDER'))).toEqual([])
    expect(ranker.volumes?.some((volume) => 'persistentVolumeClaim' in volume) ?? false).toBe(false)
    expect(() => render(set('services.ranker.config.MODEL_FOLDER=/models'))).toThrow(/MODEL_FOLDER.*model-files\.v1/s)
  })

  it('allows at most one trainer', () => {
    expect(workloadOf(render(needed), 'trainer')).toMatchObject({ kind: 'StatefulSet', spec: { replicas: 1 } })
    expect(() => render(set('services.trainer.replicas=2'))).toThrow(/trainer.*replicas|replicas.*trainer/s)
  })
})

describe('A23 · settings of a service', () => {
  it('override the settings of the chart, each once', () => {
    const config = { LOG_LEVEL: 'debug', STOP_TIMEOUT_MS: 45_000, KAFKA_BROKERS: 'other:9092', CANDIDATE_SERVICE_ADDRESS: 'c:1', GRPC_PORT: 7777, BLENDER_MAX_PINS: 4_000_000 }
    const args = [...needed, '--set-json', `services.blender.config=${JSON.stringify(config)}`, '--set', 'services.blender.resources.limits.memory=4Gi']
    const env = variablesOf('blender', args)
    for (const [key, value] of Object.entries(config)) expect(env[`FRESHET_${key}`]).toBe(String(value))
    const pod = podOf(workloadOf(render(args), 'blender'))
    expect(pod.containers[0].ports).toContainEqual({ name: 'grpc', containerPort: 7777 })
    expect(pod.terminationGracePeriodSeconds).toBe(5 + 45 + 5)
  })

  it('have the form that the process reads: large numbers, lists, maps, booleans', () => {
    const env = variablesOf('candidate-service', [
      ...needed,
      '--set-json',
      'services.candidate-service.config={"KAFKA_MAX_PENDING_BYTES":4294967296,"CANDIDATES_SHARD_PEERS":["a:1","b:2"],"CANDIDATES_RETRIEVAL":{"sources":{"popularity":{"enabled":false}}},"GRPC_REFLECTION":false}',
    ])
    expect(env).toMatchObject({
      FRESHET_KAFKA_MAX_PENDING_BYTES: '4294967296',
      FRESHET_CANDIDATES_SHARD_PEERS: 'a:1,b:2',
      FRESHET_CANDIDATES_RETRIEVAL: '{"sources":{"popularity":{"enabled":false}}}',
      FRESHET_GRPC_REFLECTION: 'false',
    })
  })

  it("are overridden by env; env of a service overrides env of all services", () => {
    const args = [
      ...needed,
      '--set-json',
      'common.env=[{"name":"TZ","value":"UTC"},{"name":"FRESHET_LOG_LEVEL","value":"warn"}]',
      '--set-json',
      'services.ranker.env=[{"name":"FRESHET_LOG_LEVEL","value":"trace"},{"name":"NODE_OPTIONS","value":"--max-old-space-size=700"}]',
    ]
    expect(variablesOf('ranker', args)).toMatchObject({ FRESHET_LOG_LEVEL: 'trace', TZ: 'UTC', NODE_OPTIONS: '--max-old-space-size=700' })
    expect(variablesOf('trainer', args)).toMatchObject({ FRESHET_LOG_LEVEL: 'warn', TZ: 'UTC' })
  })
})

describe('A23 · stopping', () => {
  it.each([5, 0, 17])('waits until the next pod has been ready for %i s', (wanted) => {
    const services = workloads(render(wanted === 5 ? needed : set(`common.minReadySeconds=${wanted}`))).filter(
      ({ kind }) => kind !== 'Job',
    )
    expect(services.length).toBeGreaterThan(5)
    for (const { spec } of services) expect(spec).toMatchObject({ minReadySeconds: wanted })
  })

  it.each([[[]], [['common.preStopSeconds=90', 'common.stopSeconds=17']], [['services.ranker.config.STOP_TIMEOUT_MS=61500']], [['common.preStopSeconds=0']]])(
    'has a grace period that covers the time before and after SIGTERM: %j',
    (values) => {
      for (const workload of workloads(render(set(...values)))) {
        if (workload.kind === 'Job') continue
        const { terminationGracePeriodSeconds: grace, containers } = podOf(workload)
        const [container] = containers
        const program = container.lifecycle?.preStop.exec.command.at(-1)
        if (program !== undefined) expect(program).toMatch(/^setTimeout\(\(\) => \{\}, \d+\)$/)
        const beforeMs = Number(/\d+/.exec(program ?? '0')?.[0])
        const after = Number(environmentOf(container)['FRESHET_STOP_TIMEOUT_MS'])
        expect(grace! * 1000, workload.metadata.name).toBeGreaterThan(beforeMs + after)
      }
    },
  )
})

describe('A23 · switching parts off', () => {
  it.each([4, 3] as const)('a port that is null appears nowhere (helm %i)', (major) => {
    const resources = render(set('services.event-ingest.ports.grpc=null', 'services.blender.ports=null'), { major })
    const ingest = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'freshet-event-ingest')!
    expect(ingest.spec.ports!.map(({ name }) => name)).toEqual(['http'])
    expect(JSON.stringify(workloadOf(resources, 'event-ingest'))).not.toContain('GRPC')
    expect(resources.some(({ kind, metadata }) => kind === 'Service' && metadata.name === 'freshet-blender')).toBe(false)
    expect(podOf(workloadOf(resources, 'blender')).containers[0].ports).toEqual([{ name: 'operations', containerPort: 9464 }])
  })

  it.each([4, 3] as const)('a service that is disabled or null has no resources (helm %i)', (major) => {
    for (const value of ['services.trainer.enabled=false', 'services.trainer=null'])
      expect(render(set(value), { major }).filter(({ metadata }) => metadata.name.includes('trainer'))).toEqual([])
  })

  it('a service that the blender calls can be disabled only if the blender gets another address', () => {
    expect(() => render(set('services.ranker.enabled=false'))).toThrow(/blender calls it: set services\.blender\.config\.RANKER_ADDRESS/)
    expect(() => render(set('services.candidate-service.ports.grpc=null'))).toThrow(/CANDIDATE_SERVICE_ADDRESS/)
    const env = variablesOf('blender', set('services.ranker.enabled=false', 'services.blender.config.RANKER_ADDRESS=ranker.other:7072'))
    expect(env['FRESHET_RANKER_ADDRESS']).toBe('ranker.other:7072')
    expect(() => render(set('services.ranker.enabled=false', 'services.blender.enabled=false'))).not.toThrow()
  })

  it('there is no topics job with topics.apply=false', () => {
    expect(render(set('topics.apply=false')).some(({ kind }) => kind === 'Job')).toBe(false)
  })
})

describe('A23 · additions', () => {
  it('reach the pods: variables, volumes, annotations, labels, placement, images by digest, types of Services', () => {
    const resources = render(everything)
    const pod = podOf(workloadOf(resources, 'blender'))
    const [container] = pod.containers
    expect(workloadOf(resources, 'blender').spec.template!.metadata).toMatchObject({
      annotations: { team: 'feeds', owner: 'blender', 'prometheus.io/scrape': 'false' },
      labels: { tier: 'web', 'app.kubernetes.io/name': 'blender' },
    })
    expect(container.image).toBe(`registry.example.org/feeds/blender@sha256:${'a'.repeat(64)}`)
    expect(pod).toMatchObject({
      nodeSelector: { disk: 'ssd', zone: 'a' },
      tolerations: [{ key: 'feeds', operator: 'Exists' }, { key: 'web', operator: 'Exists' }],
      affinity: { podAntiAffinity: {} },
      priorityClassName: 'high',
      serviceAccountName: 'feeds',
    })
    expect(pod.volumes).toContainEqual({ name: 'extra', configMap: { name: 'extra' } })
    expect(container.volumeMounts).toContainEqual({ name: 'extra', mountPath: '/extra' })
    const service = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'freshet-blender')!
    expect(service).toMatchObject({ metadata: { annotations: { lb: 'internal' } }, spec: { type: 'LoadBalancer' } })
    expect(podOf(workloadOf(resources, 'ranker')).containers[0].image).toBe('mirror.example.org/ranker:2')
  })

  it('reach the topics job: image, retention, copies, placement', () => {
    const pod = podOf(workloadOf(render(everything), 'topics'))
    expect(pod).toMatchObject({ nodeSelector: { disk: 'ssd' }, enableServiceLinks: false })
    expect(pod.containers[0].image).toBe('mirror.example.org/freshet:1')
    expect(pod.containers[0].args).toEqual(
      ['--partitions', '32', '--replication-factor', '3', '--retention', 'engagements.v1=14d', '--retention', 'feeds-served.v1=36h'],
    )
    expect(podOf(workloadOf(render(needed), 'topics')).containers[0]).toMatchObject({ image: 'freshet/freshet:0.1.0', args: ['--partitions', '32'] })
  })
})
