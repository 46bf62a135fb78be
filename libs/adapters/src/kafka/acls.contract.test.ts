import { serviceRights, type ServiceRights, type ServiceWithRights } from '@freshet/contracts/service-rights'
import { topicLayouts, topics, type TopicName } from '@freshet/contracts/topics'
import kafkajs, { Kafka, logLevel } from 'kafkajs'
import type { StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { aRecord, until } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import { freePort, kafkaContainer, testHost } from '../testing/kafka-server.ts'
import { kafkaAcls, kafkaAclsCommand } from './acls.ts'
import { createKafkaEventLog } from './event-log.ts'

const services = Object.keys(serviceRights) as ServiceWithRights[]
const topicNames = Object.keys(topics) as TopicName[]
const clock = createSystemClock()
const password = 'secret'

interface Authorising {
  readonly container: StartedTestContainer
  /** For everybody, who may do nothing without an ACL. */
  readonly brokers: readonly string[]
  /** For the superuser. */
  readonly inner: readonly string[]
}

/** A broker on which a user may do only what an ACL allows. */
async function authorisingKafka(): Promise<Authorising | string> {
  const [login, inner] = [await freePort(), await freePort()]
  const users = services.map((service) => `user_${service}="${password}"`).join(' ')
  try {
    const container = await kafkaContainer(
      [
        { name: 'LOGIN', protocol: 'SASL_PLAINTEXT', port: login },
        { name: 'SUPER', protocol: 'PLAINTEXT', port: inner },
      ],
      {
        KAFKA_SASL_ENABLED_MECHANISMS: 'PLAIN',
        KAFKA_LISTENER_NAME_LOGIN_PLAIN_SASL_JAAS_CONFIG: `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
        KAFKA_AUTHORIZER_CLASS_NAME: 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // Who comes without a login, by the inner listeners.
        KAFKA_SUPER_USERS: 'User:ANONYMOUS',
      },
    ).start()
    return { container, brokers: [`${testHost()}:${login}`], inner: [`${testHost()}:${inner}`] }
  } catch (error) {
    const absent = `no container of Kafka (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return absent
  }
}

const server = await authorisingKafka()

if (typeof server === 'string') {
  describe.skip(`least rights in Kafka (skipped: ${server})`, () => {
    test.todo('needs a broker')
  })
} else {
  const { brokers, inner, container } = server
  const admin = new Kafka({ brokers: [...inner], logLevel: logLevel.NOTHING }).admin()
  const all = createKafkaEventLog({ brokers: inner, clientId: 'all', clock, replicationFactor: 1 })
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    await admin.connect()
    await all.applyTopics(topicLayouts(2))
    for (const service of services) await allow(service)
    for (const topic of topicNames) await all.append(topic, [aRecord('x')])
  }, 60_000)
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  afterAll(async () => {
    await admin.disconnect()
    await all.close()
    await container.stop({ timeout: 0 })
  })

  /** Allows a service what its rights say. */
  async function allow(service: ServiceWithRights): Promise<void> {
    const words = { topic: 'TOPIC', group: 'GROUP', cluster: 'CLUSTER' } as const
    const acl = kafkaAcls(serviceRights[service]).flatMap(({ resource, names, operations }) =>
      names.flatMap((resourceName) =>
        operations.map((operation) => ({
          resourceType: kafkajs.AclResourceTypes[words[resource]],
          resourceName,
          resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
          principal: `User:${service}`,
          host: '*',
          operation: kafkajs.AclOperationTypes[operation.replace(/(?<!^)[A-Z]/g, '_$&').toUpperCase() as 'READ'],
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        })),
      ),
    )
    await admin.createAcls({ acl })
  }

  const logOf = (service: ServiceWithRights) => {
    const log = createKafkaEventLog({
      brokers,
      clientId: service,
      clock,
      replicationFactor: 1,
      appendTimeoutMs: 2_000,
      sasl: () => ({ mechanism: 'plain', username: service, password }),
    })
    closing.push(() => log.close())
    return log
  }

  describe.each(services)('the Kafka user of %s', (service) => {
    const { log: rights }: ServiceRights = serviceRights[service]

    test('appends to its topics, and to no others', async () => {
      const log = logOf(service)
      await Promise.all(
        topicNames.map(async (topic) => {
          const appended = log.append(topic, [aRecord('by a service')])
          if (rights.write.includes(topic)) await appended
          else await expect(appended, topic).rejects.toMatchObject({ code: 'LOG_RIGHTS_MISSING' })
        }),
      )
    })

    test('reads its topics to their end, and nothing of others', async () => {
      const log = logOf(service)
      const seen = new Map<string, number>()
      const errors = new Set<string>()
      const read = async (topic: TopicName) => {
        const reader = await log.readAll(
          {
            topics: [topic],
            maxBatchRecords: 10,
            startAt: () => null,
            onError: () => errors.add(topic),
            onBatch: async ({ records }) => void seen.set(topic, (seen.get(topic) ?? 0) + records.length),
          },
          { signal: AbortSignal.timeout(5_000) },
        )
        closing.unshift(() => reader.stop())
      }
      await Promise.all(topicNames.map((topic) => read(topic).catch(() => errors.add(topic))))
      await until('every topic read or refused', () =>
        topicNames.every((topic) => seen.has(topic) || errors.has(topic)),
      )
      expect([...seen.keys()].sort()).toEqual([...rights.read].sort())
    })

    test('finds where its topics end', async () => {
      const log = logOf(service)
      for (const topic of [...rights.read, ...rights.write, ...rights.describe])
        expect((await log.ends(topic)).length).toBe(2)
    })

    test(rights.groups.length === 0 ? 'joins no group' : 'joins its groups, and no other', async () => {
      const log = logOf(service)
      const joins = async (group: string): Promise<boolean> => {
        let joined = false
        let refused = false
        const reader = await log.readGroup(
          {
            group,
            topics: ['engagements.v1'],
            maxBatchRecords: 10,
            startAt: async () => null,
            onAssigned: () => (joined = true),
            onBatch: () => Promise.resolve(),
            onError: (error) => (refused ||= /authoriz/i.test(String(error) + String(error.cause))),
          },
          { signal: AbortSignal.timeout(5_000) },
        )
        await until('joined or refused', () => joined || refused)
        await reader.stop()
        return joined
      }
      for (const group of rights.groups) expect(await joins(group)).toBe(true)
      if (rights.read.includes('engagements.v1')) expect(await joins('others')).toBe(false)
    })

    test(rights.manageTopics ? 'changes topics' : 'changes no topics', async () => {
      const log = logOf(service)
      const changed = log.applyTopics(topicLayouts(2).map((layout) => ({ ...layout, maxRecordBytes: 1 << 19 })))
      if (rights.manageTopics) expect((await changed).some(({ outcome }) => outcome === 'altered')).toBe(true)
      else await expect(changed).rejects.toMatchObject({ code: 'LOG_RIGHTS_MISSING' })
    })
  })

  test('the printed commands make the same ACLs', async () => {
    const service = 'feature-updater'
    const find = async () => {
      const { resources } = await admin.describeAcls({
        resourceType: kafkajs.AclResourceTypes.ANY,
        resourcePatternType: kafkajs.ResourcePatternTypes.ANY,
        principal: `User:${service}`,
        operation: kafkajs.AclOperationTypes.ANY,
        permissionType: kafkajs.AclPermissionTypes.ANY,
      })
      return resources
        .flatMap(({ resourceType, resourceName, acls }) =>
          acls.map(({ operation, host }) => `${resourceType} ${resourceName} ${operation} ${host}`),
        )
        .sort()
    }
    const before = await find()
    expect(before.length).toBeGreaterThan(10)
    await admin.deleteAcls({
      filters: [
        {
          resourceType: kafkajs.AclResourceTypes.ANY,
          resourcePatternType: kafkajs.ResourcePatternTypes.ANY,
          principal: `User:${service}`,
          operation: kafkajs.AclOperationTypes.ANY,
          permissionType: kafkajs.AclPermissionTypes.ANY,
        },
      ],
    })
    await until('no ACLs', async () => (await find()).length === 0)
    for (const acl of kafkaAcls(serviceRights[service])) {
      const [, ...options] = kafkaAclsCommand(service, acl)
      // An image without the script has its class.
      const tool = [
        'PATH="$PATH:/opt/kafka/bin"; tool="$(command -v kafka-acls.sh || command -v kafka-acls)"',
        '|| tool="$(command -v kafka-run-class.sh || command -v kafka-run-class) org.apache.kafka.tools.AclCommand";',
        'exec $tool --bootstrap-server localhost:9092 "$@"',
      ].join(' ')
      const { exitCode, output } = await container.exec(['sh', '-c', tool, 'sh', ...options])
      expect(exitCode, output).toBe(0)
    }
    await until('the ACLs', async () => (await find()).length === before.length)
    expect(await find()).toEqual(before)
  })
}
