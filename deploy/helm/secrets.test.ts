import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { environmentOf, everything, needed, plainVariables, podOf, render, set, variablesOf, workloadOf, workloads } from './rendered.ts'
import { services } from './schema.ts'

describe('A23 · secrets', () => {
  const secured = [
    ...['--set', 'image.registry=freshet', '--set', 'kafka.brokers={kafka:9093}', '--set', 'kafka.tls.enabled=true', '--set', 'kafka.tls.caSecret.name=kafka-ca'],
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
    const resources = render(['--set', 'image.registry=freshet', '--set', 'kafka.brokers={kafka:9092}', '--set', 'redis.urlSecret.name=cache', '--set', 'access.open=true'])
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
