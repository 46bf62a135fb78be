import type { ServiceRights } from '@freshet/contracts/service-rights'

/** Operations on a resource that a principal is allowed. */
export interface KafkaAcl {
  readonly resource: 'topic' | 'group' | 'cluster'
  /** Names of resources; `kafka-cluster` for the cluster. */
  readonly names: readonly string[]
  readonly operations: readonly KafkaOperation[]
  /** Whether the names are what the names of the resources begin with; absent: they are the names. */
  readonly isPrefix?: true
}

/** A topic of another system that event-ingest reads, and the setting `source.group`. */
export interface KafkaSource {
  readonly topic: string
  readonly group: string
}

/** What event-ingest needs to read the topic of another system. The group in Kafka has the id of the topic behind a dot. */
export function kafkaSourceAcls({ topic, group }: KafkaSource): readonly KafkaAcl[] {
  return [
    { resource: 'topic', names: [topic], operations: ['Read', 'DescribeConfigs'] },
    { resource: 'group', names: [`${group}.`], operations: ['Read'], isPrefix: true },
  ]
}

export type KafkaOperation =
  'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs' | 'IdempotentWrite'

/** The ACLs of a process: what it needs, and no more. Topics with equal operations stand together. */
export function kafkaAcls({ log }: Pick<ServiceRights, 'log'>): readonly KafkaAcl[] {
  const byTopic = new Map<string, KafkaOperation[]>()
  const add = (topics: readonly string[], ...operations: readonly KafkaOperation[]): void => {
    for (const topic of topics) {
      const known = byTopic.get(topic) ?? []
      byTopic.set(topic, [...known, ...operations.filter((operation) => !known.includes(operation))])
    }
  }
  // `Read` and `Write` imply `Describe`. A client reads the largest record and the kind of cleanup of a topic before it appends or reads.
  add(log.write, 'Write', 'DescribeConfigs')
  add(log.read, 'Read', 'DescribeConfigs')
  add(log.describe, 'Describe')
  if (log.manageTopics) add(log.describe, 'Create', 'DescribeConfigs', 'AlterConfigs')
  const grouped = Map.groupBy(byTopic, ([, operations]) => [...operations].sort().join())
  return [
    ...[...grouped.values()].map((topics) => ({
      resource: 'topic' as const,
      names: topics.map(([name]) => name),
      operations: topics[0]![1],
    })),
    ...(log.groups.length === 0
      ? []
      : [{ resource: 'group' as const, names: log.groups, operations: ['Read' as const] }]),
    // Brokers before 3.0 want this of producers that repeat a batch safely.
    ...(log.write.length === 0
      ? []
      : [{ resource: 'cluster' as const, names: ['kafka-cluster'], operations: ['IdempotentWrite' as const] }]),
  ]
}

/** The options of `kafka-acls` that allow one entry to a principal. */
export function kafkaAclsCommand(
  principal: string,
  { resource, names, operations, isPrefix }: KafkaAcl,
): readonly string[] {
  return [
    'kafka-acls',
    '--add',
    '--allow-principal',
    `User:${principal}`,
    ...operations.flatMap((operation) => ['--operation', operation]),
    ...(isPrefix === true ? ['--resource-pattern-type', 'prefixed'] : []),
    ...(resource === 'cluster' ? ['--cluster'] : names.flatMap((name) => [`--${resource}`, name])),
  ]
}
