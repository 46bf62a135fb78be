import { exitCodes } from '@freshet/service/errors'
import { serviceLinksOf } from '@freshet/service/testing'
import { describe, expect, it } from 'vitest'
import { readKafkaSettings, readRedisSettings } from './connection.ts'
import { describeFailure } from './failure.ts'
import { planTopics } from './topics.ts'

const secret = { FRESHET_KAFKA_SASL_PASSWORD: 'geheim', FRESHET_REDIS_PASSWORD: 'geheim' }

describe('A22 · how commands reach Kafka and Redis', () => {
  it('by options, with passwords from the environment', () => {
    const given = { brokers: 'a:1,b:2', kafkaTls: true, kafkaSasl: 'scram-sha-512', kafkaUsername: 'ops' }
    expect(readKafkaSettings(given, secret)).toMatchObject({
      brokers: ['a:1', 'b:2'],
      tls: { enabled: true },
      sasl: { mechanism: 'scram-sha-512', username: 'ops', password: 'geheim' },
    })
    expect(readRedisSettings({ redisCluster: 'rediss://a:1,rediss://b:2' }, secret)).toMatchObject({
      url: null,
      clusterNodes: ['rediss://a:1', 'rediss://b:2'],
      password: 'geheim',
    })
  })

  it("by the services' environment alone, which also has service links and other settings", () => {
    const env = {
      ...serviceLinksOf({ name: 'freshet-kafka', clusterIp: '10.0.0.1', ports: [{ port: 9092 }] }),
      ...serviceLinksOf({ name: 'freshet-redis', clusterIp: '10.0.0.2', ports: [{ port: 6379 }] }),
      FRESHET_KAFKA_BROKERS: 'kafka:9092',
      FRESHET_REDIS_URL: 'redis://redis:6379',
      FRESHET_BLENDER_MAX_PINS: '7',
    }
    expect(readKafkaSettings({}, env)).toMatchObject({ brokers: ['kafka:9092'] })
    expect(readRedisSettings({}, env)).toMatchObject({ url: 'redis://redis:6379' })
    expect(readRedisSettings({ redisCluster: 'redis://c:1' }, env)).toMatchObject({
      url: null,
      clusterNodes: ['redis://c:1'],
    })
  })

  it('or not, if no address is given', () => {
    expect(readKafkaSettings({}, {})).toBeNull()
    expect(readRedisSettings({}, {})).toBeNull()
  })

  it('a wrong option is reported under its name, as an error of the command line', () => {
    const failed = (work: () => unknown): { line: string; exitCode: number } => {
      try {
        work()
      } catch (error) {
        return describeFailure(error)
      }
      throw new Error('no error')
    }
    const { line, exitCode } = failed(() => readKafkaSettings({ brokers: 'nowhere', kafkaSasl: 'gssapi' }, {}))
    expect(line).toMatch(/"nowhere".*\(from --brokers\)/s)
    expect(line).toMatch(/"gssapi" \(from --kafka-sasl\).*plain/s)
    expect(exitCode).toBe(exitCodes.config)
  })
})

describe('A23 · retention of topics', () => {
  it('can be given in hours or days', () => {
    const layouts = planTopics({ partitions: '8', retention: ['engagements.v1=14d', 'feeds-served.v1=36h'] })
    const msOf = (topic: string) => layouts.find(({ name }) => name === topic)?.retentionMs
    expect([msOf('engagements.v1'), msOf('feeds-served.v1')]).toEqual([14 * 86_400_000, 36 * 3_600_000])
    expect(msOf('pins.v1')).toBeNull()
  })

  it.each([
    ['14', /TOPIC=TIME/],
    ['engagements.v1=14', /hours or days/],
    ['engagements.v1=0h', /the shortest retention is 1h/],
    ['clicks.v1=3d', /names the unknown topic clicks\.v1; topics are engagements\.v1/],
    ['pins.v1=3d', /keeps the last record of each key/],
  ])('refuses %s', (text, message) => {
    expect(() => planTopics({ partitions: '8', retention: [text] })).toThrow(message)
  })
})
