import { describe, expect, it } from 'vitest'
import { chartFolder, ciValues, helm, needed, render, set, variablesOf, workloads } from './rendered.ts'

describe('Kafka and Redis for development', () => {
  it('do not exist unless they are asked for', () => {
    expect(render(needed).filter(({ metadata }) => metadata.name.includes('development'))).toEqual([])
  })

  it('are what the services and the job reach', () => {
    const resources = render(ciValues('development'))
    const names = workloads(resources).map(({ metadata }) => metadata.name)
    expect(names).toEqual(expect.arrayContaining(['freshet-development-kafka', 'freshet-development-redis']))
    expect(variablesOf('feature-updater', ciValues('development'))).toMatchObject({
      FRESHET_KAFKA_BROKERS: 'freshet-development-kafka:9092',
      FRESHET_REDIS_URL: 'redis://freshet-development-redis:6379',
    })
    expect(variablesOf('topics', ciValues('development'))['FRESHET_KAFKA_BROKERS']).toBe('freshet-development-kafka:9092')
  })

  it('are announced loudly after an install', () => {
    const notes = (args: readonly string[]): string => helm(4, 'install', 'freshet', chartFolder, '--dry-run=client', ...args).stdout
    expect(notes(ciValues('development'))).toMatch(/!!! FOR DEVELOPMENT ONLY !!!\nKafka runs in one pod without a disk.*\nRedis runs in one pod without a disk/)
    expect(notes(needed)).not.toContain('DEVELOPMENT')
  })

  it.each([
    ['a Kafka beside one of your own', ['development.kafka.enabled=true'], /kafka\.brokers is set although/],
    ['a Redis beside one of your own', ['development.redis.enabled=true'], /redis is set although/],
  ])('refuse %s', (_name, values, message) => {
    expect(() => render(set(...values))).toThrow(message)
  })

  it.each([
    ['a Kafka with TLS', 'kafka.tls.enabled=true', /has neither/],
    ['a Redis with a login', 'redis.passwordSecret.name=secret', /has none/],
  ])('refuse %s', (_name, value, message) => {
    expect(() => render([...ciValues('development'), '--set', value])).toThrow(message)
  })
})
