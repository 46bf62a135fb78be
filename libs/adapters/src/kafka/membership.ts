import { ContractError } from '@freshet/contracts/errors'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import { assignPartitions } from '../shared/log/assignment.ts'
import { asError } from '../shared/as-error.ts'
import type { KafkaCluster } from './cluster.ts'
import { typeOf } from './errors.ts'
import type { GroupGeneration, JoinedGroup, KafkaBroker } from './wire/broker.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './wire/group-messages.ts'
import type { KafkaSettings } from './options.ts'

/** Callbacks of a group member. */
export interface MembershipOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly onError: (error: Error) => void
  /** Called with the partitions that the member now owns. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => void
  /** Gives up all partitions and resolves to the last handled positions. The group waits for the promise, up to the rebalance timeout. */
  readonly onRevoked: () => Promise<readonly HandledPosition[]>
  /** The positions handled so far. */
  readonly handled: () => readonly HandledPosition[]
}

/** One past the last position handled of a partition. */
export interface HandledPosition extends TopicPartition {
  readonly position: number
}

/** Membership in a Kafka consumer group. */
export interface Membership {
  /** Gives up the partitions and leaves. */
  leave(): Promise<void>
}

const protocol = 'freshet-by-number'
const pauseAfterErrorMs = 100
const longestPauseMs = 1_000

/**
 * Joins a group and stays in it. On a rebalance a member gives up all partitions, and rejoins only when its handlers have
 * ended. The broker assigns partitions when all members have joined, so no two members own one at the same time.
 */
export function joinGroup(cluster: KafkaCluster, settings: KafkaSettings, options: MembershipOptions): Membership {
  const { clock, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs, commitEveryMs } = settings
  const { group: groupId, topics, onError } = options
  const groupInstanceId = settings.groupInstance === '' ? null : settings.groupInstance
  const leaving = new AbortController()
  const { signal } = leaving
  let memberId = ''
  let generationId = -1
  let coordinator = -1
  let lastHeardMs = 0
  let joining = false

  const pause = (ms: number) => clock.sleep(ms, signal).catch(() => undefined)
  const member = (): GroupGeneration => ({ groupId, generationId, memberId, groupInstanceId })

  async function join(): Promise<readonly TopicPartition[]> {
    coordinator = await cluster.coordinator(groupId)
    await Promise.all(topics.map((topic) => cluster.leaders(topic)))
    const joinMs = rebalanceTimeoutMs + 2 * settings.requestTimeoutMs
    const joinOn = async (broker: KafkaBroker) => {
      const joined = await broker.joinGroup({
        groupId,
        memberId,
        groupInstanceId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocol,
        metadata: encodeSubscription(topics),
      })
      ;({ memberId, generationId } = joined)
      const assignments = joined.leaderId === memberId ? await assign(joined.members) : []
      const assigned = await broker.syncGroup(member(), assignments)
      lastHeardMs = clock.now()
      return decodeAssignment(assigned)
    }
    return cluster.on(coordinator, joinOn, joinMs)
  }

  async function assign(joined: JoinedGroup['members']) {
    const members = joined.map(({ memberId: id, metadata }) => ({ id, topics: decodeSubscription(metadata) }))
    const counts = new Map<string, number>()
    for (const topic of new Set(members.flatMap((member) => member.topics))) {
      counts.set(topic, (await cluster.leaders(topic)).length)
    }
    const given = assignPartitions(members, (topic) => counts.get(topic) ?? 0)
    return [...given].map(([id, partitions]) => ({ memberId: id, assignment: encodeAssignment(partitions) }))
  }

  /**
   * One heartbeat: whether the member still belongs to this generation, has to join again, was put out, or was replaced by
   * another process of its name. Where nothing was heard for a session, it joins again under the name that it has: the group may still know it, and would wait
   * another session for a member that never comes back.
   */
  async function beat(): Promise<'member' | 'rejoin' | 'out' | 'replaced'> {
    try {
      await cluster.on(coordinator, (broker) => broker.heartbeat(member()))
      lastHeardMs = clock.now()
      return 'member'
    } catch (error) {
      const type = typeOf(error)
      if (type === 'REBALANCE_IN_PROGRESS') {
        lastHeardMs = clock.now()
        return 'rejoin'
      }
      if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION') return 'out'
      if (type === 'FENCED_INSTANCE_ID') return 'replaced'
      if (signal.aborted) return 'member'
      onError(asError(error))
      if (clock.now() - lastHeardMs > sessionTimeoutMs) return 'rejoin'
      await cluster
        .coordinator(groupId)
        .then((nodeId) => (coordinator = nodeId))
        .catch(() => undefined)
      return 'member'
    }
  }

  /** Commits positions to Kafka for lag monitors only; the stored positions are authoritative. */
  async function commit(handled: readonly HandledPosition[]): Promise<void> {
    const byTopic = new Map<string, { partition: number; position: number }[]>()
    for (const { topic, partition, position } of handled) {
      const partitions = byTopic.get(topic) ?? []
      byTopic.set(topic, partitions)
      partitions.push({ partition, position })
    }
    if (byTopic.size === 0) return
    const places = [...byTopic].map(([topic, partitions]) => ({ topic, partitions }))
    await cluster.on(coordinator, (broker) => broker.commitOffsets(member(), places))
  }

  /** Sends heartbeats until the member must give up its partitions. */
  async function stay(): Promise<'rejoin' | 'out' | 'replaced'> {
    let committedAtMs = clock.now()
    for (;;) {
      await pause(heartbeatMs)
      if (signal.aborted) return 'rejoin'
      const state = await beat()
      if (state !== 'member') return state
      if (clock.now() - committedAtMs < commitEveryMs) continue
      committedAtMs = clock.now()
      await commit(options.handled()).catch(() => undefined)
    }
  }

  /** Gives up all partitions. It keeps sending heartbeats until the handlers have ended, so that the group waits. */
  async function giveUp(): Promise<readonly HandledPosition[]> {
    let ended = false
    const revoked = options.onRevoked().finally(() => (ended = true))
    while (!ended) {
      const again = new AbortController()
      await Promise.race([revoked, clock.sleep(heartbeatMs, again.signal).catch(() => undefined)])
      again.abort()
      if (!ended) await beat().catch(() => undefined)
    }
    return revoked
  }

  async function run(): Promise<void> {
    let pauseMs = pauseAfterErrorMs
    while (!signal.aborted) {
      try {
        joining = true
        const partitions = await join().finally(() => (joining = false))
        if (signal.aborted) break
        pauseMs = pauseAfterErrorMs
        options.onAssigned(partitions)
      } catch (error) {
        const type = typeOf(error)
        if (type === 'FENCED_INSTANCE_ID') return replaced()
        if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION') memberId = ''
        if (signal.aborted) break
        if (type === 'REBALANCE_IN_PROGRESS') continue
        onError(asError(error))
        await pause(pauseMs)
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
        await cluster.refresh(topics).catch(() => undefined)
        continue
      }
      const state = await stay()
      const handled = await giveUp()
      if (state === 'replaced') return replaced()
      if (state === 'out') memberId = ''
      else await commit(handled).catch(() => undefined)
    }
    if (memberId === '' || coordinator < 0) return
    await cluster
      .on(coordinator, (broker) => broker.leaveGroup({ groupId, memberId, groupInstanceId }))
      .catch(() => undefined)
  }

  /** Does not rejoin: that would evict the other process, which would then rejoin as well. */
  function replaced(): void {
    onError(
      new ContractError(
        'LOG_MEMBER_REPLACED',
        `another process joined the group ${groupId} as ${settings.groupInstance}; this one reads no more`,
      ),
    )
  }

  const running = run()
  return {
    leave() {
      const reason = new Error('the reader was stopped')
      leaving.abort(reason)
      // The broker does not answer while other members delay a rebalance.
      if (joining) void cluster.cut(reason)
      return running
    },
  }
}
