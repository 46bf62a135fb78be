import type { KafkaCluster } from './cluster.ts'
import { typeOf } from './errors.ts'
import type { Persistently } from './retrying.ts'
import { maxRecordBytesIn, readConfigs } from './topics.ts'
import { committedCall } from './wire/committed-positions.ts'
import { knowsTopicIds, topicIdCall } from './wire/topic-ids.ts'

/** The facts about a topic that an append needs. */
export interface TopicFacts {
  readonly partitions: number
  /** Largest record, bytes. */
  readonly maxRecordBytes: number
}

/** Reads facts about topics from the brokers. Every method rejects with LOG_TOPIC_MISSING and LOG_UNAVAILABLE. */
export interface Topics {
  /** Read once, then cached until `forget`. */
  facts(topic: string): Promise<TopicFacts>
  forget(topic: string): void
  /** As in `EventLog`. */
  identity(topic: string): Promise<string | null>
  /** As in `EventLog`. */
  starts(topic: string): Promise<readonly number[]>
  /** As in `EventLog`. */
  ends(topic: string): Promise<readonly number[]>
  /** As in `EventLog`. */
  positionsAt(topic: string, timeMs: number): Promise<readonly number[]>
  /** As in `KafkaEventLog`. */
  committed(group: string, topic: string): Promise<readonly (number | null)[]>
  /** As in `KafkaEventLog`. */
  begin(group: string, topic: string, positions: readonly number[]): Promise<void>
}

/** Kafka's names for the first position and for one past the last. */
const earliest = -2
const latest = -1

/** How a client that is not a member of a group names itself. Brokers take its positions only while the group has no members. */
const noMember = { generationId: -1, memberId: '', groupInstanceId: null }

/** Asks a cluster about topics. */
export function createTopics(cluster: KafkaCluster, persistently: Persistently): Topics {
  const facts = new Map<string, Promise<TopicFacts>>()

  const ask = (topic: string): Promise<TopicFacts> =>
    persistently(`asking about ${topic}`, async () => {
      const { length: partitions } = await cluster.leaders(topic)
      const config = (await readConfigs(cluster, [topic])).get(topic)
      return { partitions, maxRecordBytes: maxRecordBytesIn(config ?? new Map<string, string>()) }
    })

  const positions = (topic: string, time: number): Promise<readonly number[]> =>
    persistently(`asking for positions of ${topic}`, async () => {
      const leaders = await cluster.leaders(topic)
      const found: number[] = new Array<number>(leaders.length).fill(0)
      const askNode = async (nodeId: number): Promise<void> => {
        const partitions = leaders.flatMap((leader, partition) => (leader === nodeId ? [partition] : []))
        const answers = await cluster.on(nodeId, (broker) => broker.positionsAt(topic, partitions, time))
        for (const { partition, position } of answers) found[partition] = position
      }
      try {
        await Promise.all([...new Set(leaders)].map(askNode))
      } catch (error) {
        await cluster.refresh([topic])
        throw error
      }
      return found
    })

  return {
    facts(topic) {
      let known = facts.get(topic)
      if (known === undefined) {
        known = ask(topic)
        facts.set(topic, known)
        known.catch(() => facts.delete(topic))
      }
      return known
    },
    forget: (topic) => void facts.delete(topic),
    starts: (topic) => positions(topic, earliest),
    ends: (topic) => positions(topic, latest),
    async positionsAt(topic, timeMs) {
      const [found, ends] = await Promise.all([positions(topic, timeMs), positions(topic, latest)])
      // Kafka's answer for a time after the last record is −1.
      return found.map((position, partition) => (position < 0 ? (ends[partition] ?? 0) : position))
    },
    committed: (group, topic) =>
      persistently(`asking for the positions of ${group} in ${topic}`, async () => {
        const { length } = await cluster.leaders(topic)
        const coordinator = await cluster.coordinator(group)
        const found = await cluster.on(coordinator, (broker) => broker.send(committedCall(group, topic, length)))
        return Array.from({ length }, (_, partition) => found.get(partition) ?? null)
      }),
    begin: (group, topic, positions) =>
      persistently(`writing where ${group} begins in ${topic}`, async () => {
        const coordinator = await cluster.coordinator(group)
        const partitions = positions.map((position, partition) => ({ partition, position }))
        try {
          await cluster.on(coordinator, (broker) =>
            broker.commitOffsets({ groupId: group, ...noMember }, [{ topic, partitions }]),
          )
        } catch (error) {
          if (typeOf(error) !== 'UNKNOWN_MEMBER_ID') throw error
        }
      }),
    identity: (topic) =>
      persistently(`asking which ${topic} this is`, async () => {
        await cluster.leaders(topic)
        // During an upgrade an old broker, which does not know ids, may answer.
        return cluster.onAny((broker) =>
          knowsTopicIds(broker) ? broker.send(topicIdCall(topic)) : Promise.resolve(null),
        )
      }),
  }
}
