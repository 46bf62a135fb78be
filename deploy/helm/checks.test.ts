import { describe, expect, it } from 'vitest'
import { removedValues } from './removed.ts'
import { needed, render, set } from './rendered.ts'

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

describe('images', () => {
  it('need the registry to which they were pushed, or each a repository of its own', () => {
    expect(() => render(set('image.registry='))).toThrow(/image\.registry is empty; build the images.*deploy\/README\.md/)
  })
})

describe('values of earlier charts', () => {
  it.each(Object.entries(removedValues))('%s is refused with what replaces it', (path, successor) => {
    const key = path.replace('*', 'blender')
    expect(() => render(set(`${key}=1`))).toThrow(`${key} no longer exists: ${successor}`)
    expect(() => render(set(`${key}=1`), { major: 3 })).toThrow(successor)
  })
})

describe('times of stopping', () => {
  it('calls must be able to end before the service is ended', () => {
    expect(() => render(set('common.stopSeconds=10'))).toThrow(/GRPC_MAX_CONNECTION_GRACE_MS is 10000.*10000 ms/)
    expect(() => render(set('services.ranker.config.GRPC_MAX_CONNECTION_GRACE_MS=30000'))).toThrow(/services\.ranker.*make the stop longer/)
    expect(() => render(set('services.ranker.config.GRPC_MAX_CONNECTION_GRACE_MS=30000', 'services.ranker.config.STOP_TIMEOUT_MS=40000'))).not.toThrow()
  })

  it.each(['FRESHET_STOP_TIMEOUT_MS', 'FRESHET_GRPC_PORT'])('%s is not taken as a variable, which the chart would not see', (name) => {
    const args = [...needed, '--set-json', `services.blender.env=[{"name":"${name}","value":"1"}]`]
    expect(() => render(args)).toThrow(/set services\.NAME\.config\./)
  })
})
