import {
  Writer,
  alterConfigsV1,
  apiVersionsV1,
  createTopicsV3,
  describeConfigsV2,
  findCoordinatorV2,
  heartbeatV3,
  initProducerIdV1,
  joinGroupV5,
  leaveGroupV3,
  listOffsetsV5,
  metadataV8,
  offsetCommitV7,
  syncGroupV3,
} from '@platformatic/kafka'
import type { Connection } from '@platformatic/kafka'
import type {
  ClusterMetadata,
  ConnectionSettings,
  JoinRequest,
  JoinedGroup,
  KafkaBroker,
  ProtocolCall,
} from '../wire/broker.ts'
import { fetchKey } from '../wire/hot-requests.ts'
import { createLink } from './connection.ts'
import type { Link } from './connection.ts'
import { answerDespiteErrors, refusal, withoutRefusals } from './failures.ts'

const groupType = 0
const topicResource = 2
const transactionTimeoutMs = 60_000

/** Makes brokers over the connections and requests of `@platformatic/kafka`, all of them public. */
export function platformaticBrokers(settings: ConnectionSettings): (host: string, port: number) => KafkaBroker {
  return (host, port) => brokerAt(host, port, settings)
}

type Ask = <T>(work: (connection: Connection) => Promise<T>, timeoutMs?: number) => Promise<T>

function brokerAt(host: string, port: number, settings: ConnectionSettings): KafkaBroker {
  const { requestTimeoutMs, connectionTimeoutMs } = settings
  // A broker answers the requests of one connection in order, and delays the answer to a fetch.
  const links = { fetch: createLink(host, port, settings), rest: createLink(host, port, settings) }
  const longestMs = requestTimeoutMs + connectionTimeoutMs
  let versions: ReadonlyMap<number, number> = new Map()

  const on = <T>(link: Link, work: (connection: Connection) => Promise<T>, timeoutMs = longestMs): Promise<T> =>
    link.use(work, timeoutMs).catch((error: unknown) => Promise.reject(refusal(error) as Error))
  const ask: Ask = (work, timeoutMs) => on(links.rest, work, timeoutMs)

  return {
    async connect() {
      if (versions.size > 0) return
      const { apiKeys } = await ask((connection) => apiVersionsV1.api.async(connection, '', ''))
      versions = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
    },
    send: (call) => on(call.apiKey === fetchKey ? links.fetch : links.rest, (connection) => sendOn(connection, call)),
    maxVersion: (apiKey) => versions.get(apiKey) ?? 0,
    metadata: async (topics) => metadataIn(await ask((to) => answerDespiteErrors(askMetadata(to, topics)))),

    initProducerId: () => ask((to) => initProducerIdV1.api.async(to, null, transactionTimeoutMs, 0n, 0)),

    async coordinatorOf(groupId) {
      const { coordinators } = await ask((to) => findCoordinatorV2.api.async(to, groupType, [groupId]))
      return coordinators[0]?.nodeId ?? -1
    },

    joinGroup: (join) => joinGroup(ask, join, join.rebalanceTimeoutMs + longestMs),

    async syncGroup({ groupId, generationId, memberId, groupInstanceId }, assignments) {
      const given = assignments.map((one) => ({ ...one }))
      const { assignment } = await ask(
        (to) => syncGroupV3.api.async(to, groupId, generationId, memberId, groupInstanceId, null, null, given),
        longestMs + settings.requestTimeoutMs,
      )
      return assignment
    },

    async heartbeat({ groupId, generationId, memberId, groupInstanceId }) {
      await ask((to) => heartbeatV3.api.async(to, groupId, generationId, memberId, groupInstanceId))
    },

    async leaveGroup({ groupId, memberId, groupInstanceId }) {
      await ask((to) => leaveGroupV3.api.async(to, groupId, [{ memberId, groupInstanceId }]))
    },

    async commitOffsets({ groupId, generationId, memberId, groupInstanceId }, topics) {
      const places = topics.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ partition, position }) => ({
          partitionIndex: partition,
          committedOffset: BigInt(position),
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })),
      }))
      await ask((to) => offsetCommitV7.api.async(to, groupId, generationId, memberId, groupInstanceId, places))
    },

    async positionsAt(topic, partitions, timestamp) {
      const asked = partitions.map((partitionIndex) => ({
        partitionIndex,
        currentLeaderEpoch: -1,
        timestamp: BigInt(timestamp),
      }))
      const { topics } = await ask((to) => listOffsetsV5.api.async(to, -1, 0, [{ name: topic, partitions: asked }]))
      return topics.flatMap(({ partitions: found }) =>
        found.map(({ partitionIndex, offset }) => ({ partition: partitionIndex, position: Number(offset) })),
      )
    },

    async createTopics(topics, timeoutMs) {
      const wanted = topics.map(({ topic, partitions, replicationFactor, config }) => ({
        name: topic,
        numPartitions: partitions,
        replicationFactor,
        assignments: [],
        configs: [...config],
      }))
      const created = (to: Connection) => createTopicsV3.api.async(to, wanted, timeoutMs, false)
      await ask((to) => withoutRefusals(created(to), 'TOPIC_ALREADY_EXISTS'), longestMs + timeoutMs)
    },

    async describeTopics(topics, names) {
      const resources = topics.map((resourceName) => ({
        resourceType: topicResource,
        resourceName,
        configurationKeys: names === null ? null : [...names],
      }))
      const { results } = await ask((to) => describeConfigsV2.api.async(to, resources as never, false, false))
      return results.map(({ resourceName, configs }) => ({
        topic: resourceName,
        entries: configs.map(({ name, value, configSource }) => ({ name, value: value ?? null, source: configSource })),
      }))
    },

    async alterTopics(topics) {
      const resources = topics.map(({ topic, config }) => ({
        resourceType: topicResource,
        resourceName: topic,
        configs: [...config],
      }))
      await ask((to) => alterConfigsV1.api.async(to, resources, false))
    },

    cut(reason) {
      versions = new Map()
      links.fetch.cut(reason)
      links.rest.cut(reason)
      return Promise.resolve()
    },
  }
}

/** Sends a request that we encode ourselves. */
function sendOn<T>(connection: Connection, { apiKey, apiVersion, encode, decode }: ProtocolCall<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    connection.send<{ readonly answer: T }>(
      apiKey,
      apiVersion,
      () => Writer.create().append(encode()),
      (_id, _key, _version, reader) => ({ answer: decode(reader.buffer.slice(reader.position)) }),
      false,
      false,
      (error, found) => {
        if (found === undefined) reject(error ?? new Error('no answer'))
        else resolve(found.answer)
      },
    )
  })
}

function askMetadata(to: Connection, topics: readonly string[]) {
  return metadataV8.api.async(to, [...topics], false, false, false)
}

function metadataIn({ brokers, controllerId, topics }: Awaited<ReturnType<typeof askMetadata>>): ClusterMetadata {
  return {
    brokers,
    controllerId,
    topics: topics.map(({ errorCode, name, partitions }) => ({
      errorCode,
      topic: name ?? '',
      partitions: partitions.map(({ partitionIndex, leaderId }) => ({ partition: partitionIndex, leader: leaderId })),
    })),
  }
}

/** A new member first receives an id and must join again with it. */
async function joinGroup(ask: Ask, join: JoinRequest, timeoutMs: number): Promise<JoinedGroup> {
  const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = join
  const joinAs = (memberId: string) =>
    ask(
      (to) =>
        joinGroupV5.api.async(
          to,
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId,
          groupInstanceId,
          'consumer',
          [{ name: protocol, metadata }],
        ),
      timeoutMs,
    )
  const joined = await joinAs(join.memberId).catch((error: unknown) => {
    const { type, memberId } = error as { readonly type?: string; readonly memberId?: string }
    if (type !== 'MEMBER_ID_REQUIRED' || memberId === undefined) throw error
    return joinAs(memberId)
  })
  const members = joined.members.map(({ memberId, metadata: subscription }) => ({
    memberId,
    metadata: subscription ?? Buffer.alloc(0),
  }))
  return { generationId: joined.generationId, leaderId: joined.leader ?? '', memberId: joined.memberId ?? '', members }
}
