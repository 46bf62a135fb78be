import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generated } from './generate.ts'
import { chartFolder, environmentOf, helm, needed, podOf, render, workloads, workloadOf, type Resource } from './rendered.ts'
import { services } from './schema.ts'

const require = createRequire(import.meta.url)
// By path: the package's exports leave out some of its files.
const models = dirname(require.resolve('kubernetes-models/package.json'))
const everything = [...needed, '--values', join(import.meta.dirname, 'everything.values.yaml')]

/** Validates against the schemas of Kubernetes. Throws for unknown fields and wrong types. */
function validate(resource: Resource): void {
  const model = require(join(models, resource.apiVersion, `${resource.kind}.js`)) as Record<string, new (data: object) => { validate(): void }>
  new model[resource.kind]!(resource).validate()
}

function set(...values: readonly string[]): string[] {
  return [...needed, ...values.flatMap((value) => ['--set', value])]
}

/** The variables of a container whose values are in the manifest. */
function plainVariables(workload: Resource): Record<string, string> {
  return Object.fromEntries(podOf(workload).containers[0].env!.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}

function variablesOf(service: string, args: readonly string[]): Record<string, string> {
  return environmentOf(podOf(workloadOf(render(args), service)).containers[0])
}

describe('the chart', () => {
  it('has a schema and a README that match the code and the values (npm run readme:update)', async () => {
    for (const [path, content] of await generated()) expect(readFileSync(path, 'utf8'), path).toBe(content)
  })

  it.each([4, 3] as const)('lints with helm %i, with the fewest values and with all of them', (major) => {
    for (const args of [needed, everything]) {
      const { code, stdout, stderr } = helm(major, 'lint', '--strict', chartFolder, ...args)
      expect(code, stdout + stderr).toBe(0)
    }
  })

  it.each([4, 3] as const)('renders valid Kubernetes resources with helm %i, the same as the other helm', (major) => {
    for (const args of [needed, everything]) {
      const resources = render(args, { major })
      expect(new Set(resources.map(({ kind }) => kind))).toEqual(
        new Set(['Deployment', 'StatefulSet', 'Service', 'PodDisruptionBudget', 'Job', ...(args === everything ? ['NetworkPolicy'] : [])]),
      )
      for (const resource of resources)
        expect(() => validate(resource), `${resource.kind} ${resource.metadata.name}`).not.toThrow()
      expect(render(args, { major: major === 4 ? 3 : 4 })).toEqual(resources)
    }
  })

  it('detects a resource that violates a schema', () => {
    const deployment = workloadOf(render(needed), 'blender')
    const broken = { ...deployment, spec: { ...deployment.spec, replicas: 'two' } } as unknown as Resource
    expect(() => validate(broken)).toThrow(/replicas/)
  })

  it('runs every service with separate probes for liveness and readiness', () => {
    const resources = workloads(render(needed)).filter(({ kind }) => kind !== 'Job')
    expect(resources.map(({ metadata }) => metadata.labels['app.kubernetes.io/name']).sort()).toEqual([...services].sort())
    for (const workload of resources) {
      expect(podOf(workload).containers[0]).toMatchObject({
        livenessProbe: { httpGet: { path: '/livez', port: 'operations' } },
        readinessProbe: { httpGet: { path: '/readyz', port: 'operations' } },
      })
    }
  })
})

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
    const without = workloadOf(render(set(`services.${service}.persistence.enabled=false`)), service)
    expect(without.spec.volumeClaimTemplates).toBeUndefined()
    expect(podOf(without).volumes).toContainEqual({ name: 'data', emptyDir: {} })
  })

  it('allows at most one trainer', () => {
    expect(workloadOf(render(needed), 'trainer')).toMatchObject({ kind: 'StatefulSet', spec: { replicas: 1 } })
    expect(() => render(set('services.trainer.replicas=2'))).toThrow(/trainer.*replicas|replicas.*trainer/s)
  })
})

describe('A23 · settings of a service', () => {
  it('override the settings of the chart, each once', () => {
    const config = { LOG_LEVEL: 'debug', STOP_TIMEOUT_MS: 45_000, KAFKA_BROKERS: 'other:9092', CANDIDATE_SERVICE_ADDRESS: 'c:1', GRPC_PORT: 7777, BLENDER_MAX_PINS: 4_000_000 }
    const args = [...needed, '--set-json', `services.blender.config=${JSON.stringify(config)}`]
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
  it.each([[[]], [['common.preStopSeconds=90', 'common.stopSeconds=7']], [['services.ranker.config.STOP_TIMEOUT_MS=61500']], [['common.preStopSeconds=0']]])(
    'has a grace period that covers the time before and after SIGTERM: %j',
    (values) => {
      for (const workload of workloads(render(set(...values)))) {
        if (workload.kind === 'Job') continue
        const { terminationGracePeriodSeconds: grace, containers } = podOf(workload)
        const [container] = containers
        const before = Number(container.lifecycle?.preStop.exec.command[1] ?? 0)
        const after = Number(environmentOf(container)['FRESHET_STOP_TIMEOUT_MS'])
        expect(grace! * 1000, workload.metadata.name).toBeGreaterThan(before * 1000 + after)
      }
    },
  )
})

describe('A23 · secrets', () => {
  const secured = [
    ...['--set', 'kafka.brokers={kafka:9093}', '--set', 'kafka.tls.enabled=true', '--set', 'kafka.tls.caSecret.name=kafka-ca'],
    ...['--set', 'kafka.tls.clientSecret.name=kafka-client', '--set', 'kafka.sasl.mechanism=scram-sha-512'],
    ...['--set', 'kafka.sasl.username=freshet', '--set', 'kafka.sasl.passwordSecret.name=kafka-user'],
    ...['--set', 'redis.clusterNodes={rediss://redis-0:6379,rediss://redis-1:6379}', '--set', 'redis.username=freshet'],
    ...['--set', 'redis.passwordSecret.name=redis-user', '--set', 'redis.tls.caSecret.name=redis-ca'],
    ...['--set', 'access.existingSecret=freshet-keys'],
  ]

  it('are files from existing secrets in every pod that needs them, including the topics job', () => {
    const resources = render(secured)
    const kafka = ['kafka-ca', 'kafka-client', 'kafka-user']
    for (const workload of workloads(resources)) {
      const name = workload.metadata.labels['app.kubernetes.io/name']!
      const pod = podOf(workload)
      const mounted = (pod.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? [])
      const usesRedis = ['blender', 'feature-updater', 'event-ingest'].includes(name)
      const own = [...kafka, ...(usesRedis ? ['redis-ca', 'redis-user'] : []), ...(name === 'topics' ? [] : ['freshet-keys'])]
      expect(mounted.sort(), name).toEqual(own.sort())
      const env = environmentOf(pod.containers[0])
      const folders = pod.containers[0].volumeMounts!.map(({ mountPath }) => mountPath)
      for (const [variable, path] of Object.entries(env))
        if (variable.endsWith('_FILE')) expect(folders, variable).toContain(dirname(path))
      expect(env['FRESHET_KAFKA_SASL_PASSWORD_FILE']).toBe('/etc/freshet/kafka-password/password')
    }
  })

  it('put no file into a container but those that its settings name', () => {
    for (const args of [secured, everything]) {
      for (const workload of workloads(render(args))) {
        const pod = podOf(workload)
        const given = (pod.volumes ?? []).flatMap(({ name, secret }) =>
          secret === undefined ? [] : (secret.items ?? []).map(({ path }) => `/etc/freshet/${name}/${path}`),
        )
        const read = Object.entries(plainVariables(workload)).filter(([name]) => name.endsWith('_FILE'))
        expect(given.sort(), workload.metadata.name).toEqual(read.map(([, path]) => path).sort())
      }
    }
  })

  it('give the blenders, and only them, the keys of page tokens', () => {
    for (const workload of workloads(render(everything))) {
      const keys = podOf(workload).containers[0].env!.filter(({ name }) => name.endsWith('CURSOR_KEY'))
      const isBlender = workload.metadata.labels['app.kubernetes.io/name'] === 'blender'
      const key = (name: string, year: string) => ({ name, valueFrom: { secretKeyRef: { name: 'page-tokens', key: year } } })
      const both = [key('FRESHET_BLENDER_CURSOR_KEY', '2027'), key('FRESHET_BLENDER_PREVIOUS_CURSOR_KEY', '2026')]
      expect(keys).toEqual(isBlender ? both : [])
    }
  })

  it('may contain the whole address of Redis', () => {
    const resources = render(['--set', 'kafka.brokers={kafka:9092}', '--set', 'redis.urlSecret.name=cache', '--set', 'access.open=true'])
    const entry = podOf(workloadOf(resources, 'blender')).containers[0].env!.find(({ name }) => name === 'FRESHET_REDIS_URL')
    expect(entry).toEqual({ name: 'FRESHET_REDIS_URL', valueFrom: { secretKeyRef: { name: 'cache', key: 'url' } } })
  })

  it.each([
    ['a password in the address of Redis', set('redis.url=redis://me:geheim@r:6379'), /passwordSecret/],
    ['a password in a node of a Cluster', set('redis.url=', 'redis.clusterNodes={redis://:geheim@r:6379}'), /passwordSecret/],
    ['a password in a setting', set('services.blender.config.REDIS_PASSWORD=geheim'), /REDIS_PASSWORD/],
    ['an address with a password in a setting', set('services.blender.config.REDIS_URL=redis://:geheim@r:6379'), /REDIS_URL/],
    ['a password in a variable', [...needed, '--set-json', 'services.ranker.env=[{"name":"FRESHET_KAFKA_SASL_PASSWORD","value":"geheim"}]'], /services\.ranker\.env.*secretKeyRef/],
    ['a key in a variable', [...needed, '--set-json', 'services.blender.env=[{"name":"FRESHET_BLENDER_CURSOR_KEY","value":"geheim"}]'], /services\.blender\.env.*secretKeyRef/],
    ['a password in a variable of all services', [...needed, '--set-json', 'common.env=[{"name":"PROXY","value":"http://me:geheim@proxy"}]'], /common\.env.*secretKeyRef/],
    ['a login without a password', set('kafka.sasl.mechanism=plain', 'kafka.sasl.username=me'), /passwordSecret/],
    ['an authority without TLS', set('kafka.tls.caSecret.name=ca'), /kafka\.tls\.enabled/],
    ["Redis's authority without TLS", set('redis.tls.caSecret.name=ca'), /rediss/],
  ])('refuses %s, and does not print it', (_name, args, message) => {
    expect(() => render(args)).toThrow(message)
    expect(() => render(args)).not.toThrow(/geheim/)
  })
})

describe('the chart is closed', () => {
  const open = needed.filter((value) => !value.startsWith('access.')).toSpliced(-1)

  it('does not render without keys, and says which commands make them', () => {
    expect(() => render(open)).toThrow(/access\.existingSecret is not set.*freshet keys create internal.*kubectl create secret.*access\.open=true/)
  })

  it('gives every service the keys, the internal key to those that call others, and opens none', () => {
    for (const service of services) {
      const env = variablesOf(service, needed)
      expect(env['FRESHET_ACCESS_KEYS_FILE']).toBe('/etc/freshet/keys/keys.json')
      const calls = ['blender', 'candidate-service'].includes(service)
      expect(env['FRESHET_ACCESS_INTERNAL_KEY_FILE'], service).toBe(calls ? '/etc/freshet/keys/internal-key' : undefined)
      expect(env).not.toHaveProperty('FRESHET_ACCESS_OPEN')
    }
  })

  it('is open only if asked, and then mounts no keys', () => {
    for (const service of services) {
      const env = variablesOf(service, [...open, '--set', 'access.open=true'])
      expect(env['FRESHET_ACCESS_OPEN']).toBe('true')
      expect(Object.keys(env).filter((name) => /KEYS_FILE|KEY_FILE|JWT/.test(name))).toEqual([])
    }
  })

  it('passes on read tokens and certificates from existing secrets', () => {
    expect(plainVariables(workloadOf(render(everything), 'blender'))).toMatchObject({
      FRESHET_ACCESS_KEYS_FILE: '/etc/freshet/keys/2027.json',
      FRESHET_ACCESS_JWT_SECRET_FILE: '/etc/freshet/keys/jwt',
      FRESHET_ACCESS_JWT_JWKS_FILE: '/etc/freshet/keys/jwks.json',
      FRESHET_ACCESS_JWT_ISSUER: 'https://login.example.org',
      FRESHET_TLS_CERT_FILE: '/etc/freshet/tls-server/tls.crt',
      FRESHET_TLS_KEY_FILE: '/etc/freshet/tls-server/tls.key',
      FRESHET_TLS_CA_FILE: '/etc/freshet/tls-ca/authority.crt',
      FRESHET_TLS_CLIENT_CA_FILE: '/etc/freshet/tls-client-ca/ca.crt',
    })
    for (const service of services) {
      const hasTokens = Object.keys(plainVariables(workloadOf(render(everything), service))).some((name) => name.includes('_JWT_'))
      expect(hasTokens, service).toBe(['blender', 'event-ingest'].includes(service))
    }
  })

  it('takes a URL of keys with an audience', () => {
    const env = variablesOf('blender', set('access.jwt.jwksUrl=https://login.example.org/keys', 'access.jwt.audience=feeds'))
    expect(env).toMatchObject({ FRESHET_ACCESS_JWT_JWKS_URL: 'https://login.example.org/keys', FRESHET_ACCESS_JWT_AUDIENCE: 'feeds' })
  })

  it('gives the proxies in front to the services that clients call, and to no other', () => {
    for (const service of services) {
      const proxies = variablesOf(service, set('limits.trustedProxies={10.0.0.0/8,fd00::1}'))['FRESHET_LIMITS_TRUSTED_PROXIES']
      expect(proxies, service).toBe(['event-ingest', 'blender'].includes(service) ? '10.0.0.0/8,fd00::1' : undefined)
    }
    expect(variablesOf('blender', needed)).not.toHaveProperty('FRESHET_LIMITS_TRUSTED_PROXIES')
    expect(() => render(set('limits.trustedProxies={proxy}'))).toThrow(/trustedProxies/)
  })

  it('has a Service of its own for admin calls, which is never public', () => {
    const found = render(set('services.event-ingest.service.type=LoadBalancer')).filter(({ kind }) => kind === 'Service')
    const withAdmin = found.filter(({ spec }) => spec.ports!.some(({ name }) => name === 'admin'))
    expect(withAdmin.map(({ metadata, spec }) => [metadata.name, spec.type, spec.ports!.length])).toEqual([
      ['freshet-event-ingest-admin', 'ClusterIP', 1],
    ])
  })

  it.each([
    ['keys and openness', ['access.open=true'], /set only one of them/],
    ['a URL of keys that other applications share', ['access.jwt.jwksUrl=https://login.example.org/keys'], /access\.jwt\.jwksUrl is set without access\.jwt\.audience/],
    ['an authority of clients without a certificate', ['tls.clientCaSecret.name=ca'], /tls\.serverSecret\.name/],
    ['a certificate that other services cannot check', ['tls.serverSecret.name=cert'], /tls\.caSecret\.name go together/],
  ] as const)('refuses %s', (_name, values, message) => {
    expect(() => render(set(...values))).toThrow(message)
  })
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

describe('A23 · wrong values', () => {
  it.each<[string, string[], RegExp]>([
    ['no broker', ['--set', 'redis.url=redis://r:6379'], /brokers/],
    ['a broker without a port', ['--set', 'kafka.brokers={kafka}', '--set', 'redis.url=redis://r:6379'], /brokers/],
    ['no Redis', ['--set', 'kafka.brokers={k:9092}'], /redis/],
    ['Redis without a scheme', ['--set', 'kafka.brokers={k:9092}', '--set', 'redis.url=redis:6379'], /redis/],
    ['two addresses of Redis', set('redis.urlSecret.name=r'), /exclude each other/],
    ['a misspelt key', set('services.ranker.replica=3'), /replica/],
    ['an unknown service', set('services.scorer.replicas=3'), /scorer/],
    ['replicas as text', [...needed, '--set-string', 'services.ranker.replicas=3'], /replicas/],
    ['a setting that the service does not have', set('services.ranker.config.MAX_PIN=3'), /MAX_PIN/],
    ['a setting out of bounds', set('services.ranker.config.STOP_TIMEOUT_MS=20'), /STOP_TIMEOUT_MS/],
    ['a setting with a unit', set('services.ranker.config.STOP_TIMEOUT_MS=20s'), /STOP_TIMEOUT_MS/],
    ['seconds with a unit', set('common.stopSeconds=20s'), /stopSeconds/],
    ['memory without a unit', set('services.ranker.resources.limits.memory=512'), /memory/],
    ['memory in thousandths', set('services.ranker.resources.limits.memory=512m'), /memory/],
    ['memory in MB', set('services.ranker.resources.limits.memory=512MB'), /memory/],
    ['a size without a unit', set('services.trainer.persistence.size=10'), /size/],
    ['cpu in thousandths without a unit', set('services.ranker.resources.requests.cpu=1000'), /cpu/],
    ['cpu in cores with a unit', set('services.ranker.resources.requests.cpu=2cores'), /cpu/],
    ['retention without a unit', set('topics.retention.engagements\\.v1=14'), /retention/],
    ['retention of a compacted topic', set('topics.retention.pins\\.v1=14d'), /pins/],
    ['an invalid port', set('services.ranker.ports.grpc=99999'), /port|grpc/],
    ['an invalid digest', set('services.ranker.image.digest=sha256:abc'), /digest/],
    ['a headless load balancer', set('services.ranker.service.type=LoadBalancer'), /headless/],
    ['an unknown log level', set('common.logLevel=verbose'), /logLevel/],
  ])('are rejected by name: %s', (_name, args, message) => {
    expect(() => render(args)).toThrow(message)
  })

  it('are rejected by helm 3 too', () => {
    for (const value of ['services.ranker.replica=3', 'common.stopSeconds=20s', 'services.trainer.replicas=2'])
      expect(() => render(set(value), { major: 3 })).toThrow(/values/)
  })
})

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
