import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaAcls, kafkaAclsCommand, kafkaSourceAcls, type KafkaAcl } from '@freshet/adapters/kafka/acls'
import { serviceRights, type ServiceRights } from '@freshet/contracts/service-rights'
import type { TopicLayout } from '@freshet/contracts/ports/event-log'
import { topicLayouts, topics } from '@freshet/contracts/topics'
import { ArgumentError, whole } from './arguments.ts'
import { readKafkaSettings, type ConnectionArguments } from './connection.ts'

/** The options of `freshet topics apply`, as text. */
export interface TopicsArguments extends ConnectionArguments {
  readonly partitions: string
  readonly replicationFactor?: string
  readonly retention?: readonly string[]
}

/** `freshet topics apply`. */
export async function runTopicsApply(given: TopicsArguments): Promise<void> {
  const { replicationFactor: copies } = given
  const layouts = planTopics(given)
  const replicationFactor = copies === undefined ? null : whole(copies, '--replication-factor', 1, 100)
  const kafka = readKafkaSettings(given)
  if (kafka === null) throw new ArgumentError('give --brokers or set FRESHET_KAFKA_BROKERS')
  const clock = createSystemClock()
  const log = createKafkaEventLog({ ...kafkaOptions(kafka), clientId: 'freshet-topics', clock, replicationFactor })
  try {
    for (const { name, outcome } of await log.applyTopics(layouts)) console.log(`${outcome.padEnd(10)} ${name}`)
  } finally {
    await log.close()
  }
}

/** The options of `freshet topics acls`, as text. */
export interface AclsArguments {
  readonly principalPrefix: string
  readonly format: string
  /** The topic of another system that event-ingest reads; absent: none. */
  readonly sourceTopic?: string
  readonly sourceGroup: string
}

/** `freshet topics acls`: prints the least rights of each service in Kafka, as commands or for Strimzi. */
export function runTopicsAcls(given: AclsArguments): Promise<void> {
  for (const text of topicsAcls(given)) console.log(text)
  return Promise.resolve()
}

/** The rights of each service, as text. Throws an ArgumentError that names the option. */
export function topicsAcls({ principalPrefix, format, sourceTopic, sourceGroup }: AclsArguments): readonly string[] {
  if (format !== 'commands' && format !== 'strimzi')
    throw new ArgumentError(`--format is ${format}; give commands or strimzi`)
  for (const [option, name] of [
    ['--source-topic', sourceTopic],
    ['--source-group', sourceGroup],
  ] as const)
    if (name !== undefined && !/^[\w.-]{1,128}$/.test(name))
      throw new ArgumentError(`${option} is ${name}; give 1–128 letters, digits, dots, hyphens and underscores`)
  return Object.entries<ServiceRights>(serviceRights).map(([service, rights]) => {
    const principal = principalOf(principalPrefix, service)
    const readsSource = service === 'event-ingest' && sourceTopic !== undefined
    const acls = [
      ...kafkaAcls(rights),
      ...(readsSource ? kafkaSourceAcls({ topic: sourceTopic, group: sourceGroup }) : []),
    ]
    return format === 'strimzi' ? strimziUser(principal, acls) : aclCommands(principal, acls)
  })
}

/** The name of the user of a service. Throws an ArgumentError if Kafka and Redis would not both take it. */
export function principalOf(prefix: string, service: string): string {
  if (!/^[a-z0-9.-]*$/.test(prefix))
    throw new ArgumentError(`the prefix of users is ${prefix}; give lower-case letters, digits, dots and hyphens`)
  return prefix + service
}

/** A line of `kafka-acls` for each group of rights. */
function aclCommands(principal: string, acls: readonly KafkaAcl[]): string {
  const quoted = (word: string): string => (/^[\w:.-]+$/.test(word) ? word : `'${word}'`)
  return acls
    .map((acl) => [...kafkaAclsCommand(principal, acl).map(quoted), '--bootstrap-server', '"$KAFKA"'].join(' '))
    .join('\n')
}

/** A `KafkaUser` for the operator of Strimzi. */
function strimziUser(principal: string, acls: readonly KafkaAcl[]): string {
  const entries = acls.flatMap(({ resource, names, operations, isPrefix }) =>
    names.map((name) => [
      `      - resource: { type: ${resource}${resource === 'cluster' ? '' : `, name: ${name}, patternType: ${isPrefix === true ? 'prefix' : 'literal'}`} }`,
      `        operations: [${operations.join(', ')}]`,
    ]),
  )
  return [
    'apiVersion: kafka.strimzi.io/v1beta2',
    'kind: KafkaUser',
    `metadata: { name: ${principal} }`,
    'spec:',
    '  authentication: { type: scram-sha-512 }',
    '  authorization:',
    '    type: simple',
    '    acls:',
    ...entries.flat(),
    '---',
  ].join('\n')
}

const unitMs = { h: 3_600_000, d: 86_400_000 } as const

/** The layouts of all topics. Throws an ArgumentError that names the option. */
export function planTopics(given: Pick<TopicsArguments, 'partitions' | 'retention'>): readonly TopicLayout[] {
  const layouts = topicLayouts(whole(given.partitions, '--partitions', 1, 1_024))
  const retentions = new Map((given.retention ?? []).map(parseRetention))
  return layouts.map((layout) => ({ ...layout, retentionMs: retentions.get(layout.name) ?? layout.retentionMs }))
}

function parseRetention(text: string): readonly [topic: string, ms: number] {
  const [, topic = '', count = '', unit] = /^([\w.-]+)=(\d{1,5})([hd])$/.exec(text) ?? []
  if (unit === undefined)
    throw new ArgumentError(
      `--retention is ${text}; give TOPIC=TIME with a time in hours or days, e.g. engagements.v1=14d`,
    )
  const spec = Object.entries(topics).find(([name]) => name === topic)?.[1]
  if (spec === undefined)
    throw new ArgumentError(
      `--retention names the unknown topic ${topic}; topics are ${Object.keys(topics).join(', ')}`,
    )
  if (spec.cleanup === 'compact')
    throw new ArgumentError(`--retention names ${topic}, which keeps the last record of each key forever`)
  const ms = Number(count) * unitMs[unit as keyof typeof unitMs]
  if (ms === 0) throw new ArgumentError(`--retention is ${text}; the shortest retention is 1h`)
  return [topic, ms]
}
