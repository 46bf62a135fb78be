import kafkajs, { Kafka, Partitioners, logLevel } from 'kafkajs'

/** Makes brokers compact a topic: closes the active segment, which brokers never compact. */
export async function compactSoon(brokers: readonly string[], topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'compactor', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const entries = {
    'cleanup.policy': 'compact',
    'segment.ms': '100',
    'min.cleanable.dirty.ratio': '0.001',
    'max.compaction.lag.ms': '100',
    'delete.retention.ms': '60000',
  }
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
      },
    ],
  })
  await admin.disconnect()
  await new Promise((resolve) => setTimeout(resolve, 150))
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'filler', value: 'x', partition: 0 }] })
  await producer.disconnect()
}

/** Makes brokers delete all records of a topic. */
export async function expireAll(brokers: readonly string[], topic: string, partitions: number): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'expirer', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.fetchTopicOffsets(topic)
  const toTheEnd = Array.from({ length: partitions }, (_, partition) => ({ partition, offset: '-1' }))
  await admin.deleteTopicRecords({ topic, partitions: toTheEnd })
  await admin.disconnect()
}

/** Deletes a topic; resolves when the broker no longer knows it. */
export async function deleteTopic(brokers: readonly string[], topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'deleter', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  while ((await admin.listTopics()).includes(topic)) await new Promise((resolve) => setTimeout(resolve, 50))
  await admin.disconnect()
}

/** Sends values in a transaction that is then committed or aborted. */
export async function transact(
  brokers: readonly string[],
  topic: string,
  values: readonly string[],
  outcome: 'commit' | 'abort',
): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'transactor', logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: `${topic}-transactor`,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
  await transaction[outcome]()
  await producer.disconnect()
}
