import type {
  ClusterMetadata,
  ConnectionSettings,
  JoinRequest,
  JoinedGroup,
  KafkaBroker,
  ProtocolCall,
  TopicConfig,
} from '../wire/broker.ts'
import { cutConnection, quietIdleQueues, shareConnect, survive } from './connection.ts'
import { translated } from './failures.ts'
import { loadKafkajs, silent } from './shapes.ts'
import type { KafkajsCall, KafkajsParts, KafkajsPool, UsedRequest } from './shapes.ts'

const topicResource = 2
const transactionTimeoutMs = 60_000

let loaded: KafkajsParts | null = null

/**
 * Makes brokers over the connections of kafkajs. Throws LOG_CLIENT_UNSUPPORTED if the installed kafkajs does
 * not have the shapes that this room relies on.
 */
export function kafkajsBrokers(settings: ConnectionSettings): (host: string, port: number) => KafkaBroker {
  const parts = (loaded ??= loadKafkajs())
  quietIdleQueues(parts)
  return (host, port) => brokerAt(parts, poolAt(parts, { host, port }, settings))
}

function poolAt(parts: KafkajsParts, at: { host: string; port: number }, settings: ConnectionSettings): KafkajsPool {
  const pool = new parts.ConnectionPool({
    ...at,
    clientId: settings.clientId,
    ssl: settings.ssl?.(),
    sasl: settings.sasl?.(),
    socketFactory: parts.createSocketFactory(),
    connectionTimeout: settings.connectionTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    enforceRequestTimeout: true,
    logger: silent,
  })
  for (const connection of pool.pool) {
    shareConnect(connection)
    survive(connection)
  }
  return pool
}

function brokerAt(parts: KafkajsParts, pool: KafkajsPool): KafkaBroker {
  const broker = new parts.Broker({ connectionPool: pool, logger: silent, nodeId: -1, allowAutoTopicCreation: false })
  const callOf = (api: UsedRequest, args: object): KafkajsCall<unknown> =>
    broker.lookupRequest(parts.apiKeys[api] ?? -1, parts.requests[api])(args)
  const ask = <T>(api: UsedRequest, args: object): Promise<T> =>
    translated(pool.send(callOf(api, args) as KafkajsCall<T>))

  /** Sends a request and leaves per-topic errors to the caller; kafkajs would throw the first one. */
  function askRaw<T>(api: UsedRequest, args: object): Promise<T> {
    const { request, response, requestTimeout } = callOf(api, args)
    const raw: KafkajsCall<T> = {
      request,
      response: { decode: (payload) => response.decode(payload), parse: (decoded) => Promise.resolve(decoded as T) },
      ...(requestTimeout === undefined ? {} : { requestTimeout }),
    }
    return translated(pool.send(raw))
  }

  return {
    connect: () => translated(broker.connect()),
    send: (call) => translated(pool.send(inKafkajs(call))),
    maxVersion: (apiKey) => broker.versions?.[apiKey]?.maxVersion ?? 0,
    metadata: async (topics) =>
      metadataIn(await askRaw('Metadata', { topics: [...topics], allowAutoTopicCreation: false })),

    async initProducerId() {
      const { producerId, producerEpoch } = await ask<{ producerId: string; producerEpoch: number }>('InitProducerId', {
        transactionTimeout: transactionTimeoutMs,
      })
      return { producerId: BigInt(producerId), producerEpoch }
    },

    async coordinatorOf(groupId) {
      const asked = { groupId, coordinatorType: 0 }
      const { coordinator } = await ask<{ coordinator: { nodeId: number } }>('GroupCoordinator', asked)
      return coordinator.nodeId
    },

    joinGroup: (join) => joinGroup(ask, join),

    async syncGroup(member, assignments) {
      const groupAssignment = assignments.map(({ memberId, assignment }) => ({
        memberId,
        memberAssignment: assignment,
      }))
      const { memberAssignment } = await ask<{ memberAssignment: Buffer }>('SyncGroup', { ...member, groupAssignment })
      return memberAssignment
    },

    async heartbeat({ generationId, ...member }) {
      await ask('Heartbeat', { ...member, groupGenerationId: generationId })
    },

    async leaveGroup({ groupId, ...member }) {
      await ask('LeaveGroup', { groupId, ...member, members: [member] })
    },

    async commitOffsets({ generationId, ...member }, topics) {
      const places = topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, position }) => ({ partition, offset: String(position) })),
      }))
      await ask('OffsetCommit', { ...member, groupGenerationId: generationId, retentionTime: -1, topics: places })
    },

    async positionsAt(topic, partitions, timestamp) {
      const topics = [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }]
      const { responses } = await ask<{
        responses: readonly { partitions: readonly { partition: number; offset: string }[] }[]
      }>('ListOffsets', { replicaId: -1, isolationLevel: 0, topics })
      return responses.flatMap(({ partitions: found }) =>
        found.map(({ partition, offset }) => ({ partition, position: Number(offset) })),
      )
    },

    async createTopics(topics, timeout) {
      const wanted = topics.map(({ topic, partitions, replicationFactor, config }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: config,
      }))
      await ask('CreateTopics', { topics: wanted, validateOnly: false, timeout })
    },

    async describeTopics(topics, names) {
      const resources = topics.map((name) => ({
        type: topicResource,
        name,
        ...(names === null ? {} : { configNames: [...names] }),
      }))
      return configsIn(await ask('DescribeConfigs', { resources, includeSynonyms: false }))
    },

    async alterTopics(topics) {
      const resources = topics.map(({ topic, config }) => ({ type: topicResource, name: topic, configEntries: config }))
      await ask('AlterConfigs', { resources, validateOnly: false })
    },

    async cut(reason) {
      await Promise.all(pool.pool.map((connection) => cutConnection(connection, reason)))
    },
  }
}

/** Builds our own request in the form that kafkajs sends. */
function inKafkajs<T>({ apiKey, apiVersion, apiName, encode, decode }: ProtocolCall<T>): KafkajsCall<T> {
  return {
    request: {
      apiKey,
      apiVersion,
      apiName,
      encode() {
        const buf = encode()
        return Promise.resolve({ buf, buffer: buf })
      },
    },
    response: {
      // An object, because kafkajs looks for a throttle time in the decoded answer.
      decode: (payload) => Promise.resolve({ answer: decode(payload) }),
      parse: (decoded) => Promise.resolve((decoded as { answer: T }).answer),
    },
  }
}

type Ask = <T>(api: UsedRequest, args: object) => Promise<T>

/** A new member first receives an id and must join again with it. */
async function joinGroup(ask: Ask, join: JoinRequest): Promise<JoinedGroup> {
  const { groupId, memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = join
  const args = {
    groupId,
    memberId,
    groupInstanceId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    protocolType: 'consumer',
    groupProtocols: [{ name: protocol, metadata }],
  }
  interface Answer {
    readonly generationId: number
    readonly leaderId: string
    readonly memberId: string
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
  }
  const joined = await ask<Answer>('JoinGroup', args).catch((error: unknown) => {
    const { name, memberId: given } = error as { readonly name?: string; readonly memberId?: string }
    if (name !== 'KafkaJSMemberIdRequired' || given === undefined) throw error
    return ask<Answer>('JoinGroup', { ...args, memberId: given })
  })
  const members = joined.members.map(({ memberId: id, memberMetadata }) => ({ memberId: id, metadata: memberMetadata }))
  return { generationId: joined.generationId, leaderId: joined.leaderId, memberId: joined.memberId, members }
}

function metadataIn(answer: {
  readonly brokers: ClusterMetadata['brokers']
  readonly controllerId: number
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
  }[]
}): ClusterMetadata {
  const topics = answer.topicMetadata.map(({ topicErrorCode, topic, partitionMetadata }) => ({
    errorCode: topicErrorCode,
    topic,
    partitions: partitionMetadata.map(({ partitionId, leader }) => ({ partition: partitionId, leader })),
  }))
  return { brokers: answer.brokers, controllerId: answer.controllerId, topics }
}

function configsIn(answer: {
  readonly resources: readonly {
    readonly resourceName: string
    readonly configEntries: readonly {
      readonly configName: string
      readonly configValue: string | null
      readonly configSource: number
    }[]
  }[]
}): readonly TopicConfig[] {
  return answer.resources.map(({ resourceName, configEntries }) => ({
    topic: resourceName,
    entries: configEntries.map(({ configName, configValue, configSource }) => ({
      name: configName,
      value: configValue,
      source: configSource,
    })),
  }))
}
