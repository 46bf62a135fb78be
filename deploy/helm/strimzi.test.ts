import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { blocksOf } from '../../test/harness/readme-commands.ts'
import { kafkaAcls } from '@freshet/adapters/kafka/acls'
import { serviceRights, type ServiceWithRights } from '@freshet/contracts/service-rights'
import { topics } from '@freshet/contracts/topics'
import { describe, expect, it } from 'vitest'
import { chartFolder, ciValues, environmentOf, needed, ofKind, podOf, render, set, workloadOf, type Resource } from './rendered.ts'
import { services } from './schema.ts'

interface TopicSpec {
  readonly topicName: string
  readonly partitions: number
  readonly replicas: number
  readonly config: Readonly<Record<string, string>>
}
interface UserSpec {
  readonly authorization: { readonly acls: readonly { readonly resource: { readonly type: string; readonly name?: string }; readonly operations: readonly string[] }[] }
}
const strimzi = (): readonly Resource[] => render(ciValues('strimzi'))

describe('resources of Strimzi', () => {
  it('do not exist unless they are asked for', () => {
    expect(render(needed).filter(({ apiVersion }) => apiVersion.startsWith('kafka.'))).toEqual([])
  })

  it('make every topic as `freshet topics apply` does, and stay when the release goes', () => {
    const made = ofKind(strimzi(), 'KafkaTopic')
    expect(made.map(({ spec }) => (spec as unknown as TopicSpec).topicName).toSorted()).toEqual(Object.keys(topics).toSorted())
    for (const { metadata, spec } of made) {
      expect(metadata).toMatchObject({ labels: { 'strimzi.io/cluster': 'kafka' }, annotations: { 'helm.sh/resource-policy': 'keep' } })
      expect(spec).toMatchObject({ partitions: 32, replicas: 3, config: { 'message.timestamp.type': 'LogAppendTime' } })
    }
    const configOf = (topic: string) => made.map(({ spec }) => spec as unknown as TopicSpec).find(({ topicName }) => topicName === topic)!.config
    expect(configOf('engagements.v1')).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': String(14 * 86_400_000) })
    expect(configOf('pins.v1')).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '-1', 'min.compaction.lag.ms': '86400000' })
  })

  it('give each service a user with its rights and no others', () => {
    const users = ofKind(strimzi(), 'KafkaUser')
    expect(users.map(({ metadata }) => metadata.labels['app.kubernetes.io/name']).toSorted()).toEqual([...services].toSorted())
    for (const { metadata, spec } of users) {
      const service = metadata.labels['app.kubernetes.io/name'] as ServiceWithRights
      const given = (spec as unknown as UserSpec).authorization.acls.map(({ resource, operations }) => `${resource.type} ${resource.name ?? 'kafka-cluster'} ${operations.join()}`)
      const wanted = kafkaAcls(serviceRights[service]).flatMap(({ resource, names, operations }) => names.map((name) => `${resource} ${name} ${operations.join()}`))
      expect(given, service).toEqual(wanted)
    }
  })

  it('let each service log in as its own user, with the secret that the operator makes', () => {
    for (const service of services) {
      const pod = podOf(workloadOf(strimzi(), service))
      expect(environmentOf(pod.containers[0])).toMatchObject({
        FRESHET_KAFKA_SASL_MECHANISM: 'scram-sha-512',
        FRESHET_KAFKA_SASL_USERNAME: `freshet-${service}`,
        FRESHET_KAFKA_SASL_PASSWORD_FILE: '/etc/freshet/kafka-password/password',
      })
      expect(pod.volumes!.find(({ name }) => name === 'kafka-password')!.secret!.secretName).toBe(`freshet-${service}`)
    }
    expect(JSON.stringify(ofKind(strimzi(), 'TriggerAuthentication'))).toContain('"name":"freshet-feature-updater","key":"password"')
  })

  it('fit the cluster that the README shows: its name, its listener with a login, and as many brokers as copies', () => {
    const [example] = blocksOf(readFileSync(join(chartFolder, 'README.md'), 'utf8'), 'yaml').filter((block) => block.includes('KafkaNodePool'))
    const [pool, kafka] = parseAllDocuments(example!).map((each) => each.toJS() as { readonly kind: string; readonly metadata: { readonly name: string; readonly labels?: object }; readonly spec: Readonly<Record<string, unknown>> })
    const made = ofKind(strimzi(), 'KafkaTopic')
    const cluster = made[0]!.metadata.labels['strimzi.io/cluster']
    expect([pool!.kind, kafka!.kind, kafka!.metadata.name]).toEqual(['KafkaNodePool', 'Kafka', cluster])
    expect(pool!.metadata.labels).toEqual({ 'strimzi.io/cluster': cluster })
    expect(pool!.spec['replicas']).toBe((made[0]!.spec as unknown as TopicSpec).replicas)
    const brokers = environmentOf(podOf(workloadOf(strimzi(), 'ranker')).containers[0])['FRESHET_KAFKA_BROKERS']
    expect(kafka!.spec['kafka']).toMatchObject({
      listeners: [{ port: Number(brokers!.split(':')[1]), tls: true, authentication: { type: 'scram-sha-512' } }],
      authorization: { type: 'simple' },
      config: { 'min.insync.replicas': 2 },
    })
    expect(brokers).toBe(`${cluster}-kafka-bootstrap:9093`)
  })

  it.each([
    ['topics that the job makes too', ['strimzi.topics=true'], /topics\.apply=false/],
    ['users whose topics nobody makes in time', ['strimzi.users=true', 'topics.apply=false'], /strimzi\.topics=true/],
    ['a login beside the users', ['strimzi.users=true', 'strimzi.topics=true', 'topics.apply=false', 'kafka.sasl.username=me', 'kafka.sasl.mechanism=plain', 'kafka.sasl.passwordSecret.name=s'], /its own KafkaUser/],
    ['a group that the users have no rights for', ['strimzi.users=true', 'strimzi.topics=true', 'topics.apply=false', 'services.feature-updater.config.UPDATER_GROUP=other'], /UPDATER_GROUP is other/],
  ])('refuse %s', (_name, values, message) => {
    expect(() => render(set(...values))).toThrow(message)
  })
})
