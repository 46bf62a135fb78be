import { isContractError } from '@freshet/contracts/errors'
import { logClosed, topicMissing } from '../shared/log/errors.ts'
import { named, typeOf } from './errors.ts'
import { brokersOf } from './clients.ts'
import type { KafkaBroker } from './wire/broker.ts'
import { HungUp, brokerError } from './wire/failures.ts'
import type { KafkaSettings } from './options.ts'

/** The brokers of a cluster and the leaders of partitions. It tries each request once; callers decide how long to retry. */
export interface KafkaCluster {
  /** The last known leader of each partition, -1: none. Asks the cluster if the topic is not known yet. Throws LOG_TOPIC_MISSING. */
  leaders(topic: string): Promise<readonly number[]>
  /** The last known leaders, without a request; null: not known yet. */
  knownLeaders(topic: string): readonly number[] | null
  /** Reloads the metadata of all known topics and these; forgets missing ones. Concurrent calls share one request. */
  refresh(topics?: readonly string[]): Promise<void>
  /** Runs work on a connected broker. If the work fails without an answer, or takes longer than `timeoutMs` in total, the broker's connections are cut. */
  on<T>(nodeId: number, work: (broker: KafkaBroker) => Promise<T>, timeoutMs?: number): Promise<T>
  onAny<T>(work: (broker: KafkaBroker) => Promise<T>): Promise<T>
  onController<T>(work: (broker: KafkaBroker) => Promise<T>): Promise<T>
  /** The node that coordinates a group. */
  coordinator(groupId: string): Promise<number>
  /** Number of live brokers in the last metadata. */
  brokerCount(): number
  /** Cuts all connections; later requests reconnect. */
  cut(reason: Error): Promise<void>
  close(): Promise<void>
}

const unknownTopic = 3
const leaderNotAvailable = 5

class Overdue extends Error {
  constructor({ host, port }: Place, timeoutMs: number) {
    super(`no answer from ${host}:${port} within ${timeoutMs} ms`)
    this.name = 'Overdue'
  }
}

interface Place {
  readonly host: string
  readonly port: number
  readonly nodeId: number
  /** null: connects on demand, with the passwords and certificates of that moment. */
  broker: KafkaBroker | null
  answered: boolean
}

/** One reason for all calls: without it each would make an exception, with its stack. */
const callEnded = new Error('the call has ended')

/** Reaches a cluster through some of its brokers. Connects with the first request. */
export function createCluster(settings: KafkaSettings): KafkaCluster {
  const { clock, requestTimeoutMs, connectionTimeoutMs } = settings
  const brokerAt = brokersOf(settings)
  const longestCallMs = 2 * (requestTimeoutMs + connectionTimeoutMs)
  const placeAt = (host: string, port: number, nodeId: number): Place => ({
    host,
    port,
    nodeId,
    broker: null,
    answered: false,
  })
  const cutAt = async ({ broker }: Place, reason: Error): Promise<void> => {
    if (broker !== null) await broker.cut(reason)
  }
  const brokers = new Map<number, Place>()
  const seeds = settings.brokers.map((seed) => {
    const colon = seed.lastIndexOf(':')
    return placeAt(seed.slice(0, colon), Number(seed.slice(colon + 1)), -1)
  })
  const topics = new Map<string, readonly number[]>()
  let controllerId = -1
  let turn = 0
  let closed = false
  let refreshing: { readonly wanted: Set<string>; readonly done: Promise<void> } | null = null

  async function use<T>(
    place: Place,
    work: (broker: KafkaBroker) => Promise<T>,
    timeoutMs = longestCallMs,
  ): Promise<T> {
    if (closed) throw logClosed()
    const broker = (place.broker ??= brokerAt(place.host, place.port))
    const over = new AbortController()
    const late = clock.sleep(timeoutMs, over.signal).then(() => Promise.reject(new Overdue(place, timeoutMs)))
    late.catch(() => undefined)
    const working = broker.connect().then(() => work(broker))
    working.catch(() => undefined)
    try {
      const answer = await Promise.race([working, late])
      place.answered = true
      return answer
    } catch (error) {
      // A failure below the protocol: the other end may have vanished, which TCP would detect only after
      // minutes, and a kafkajs connection that was lost at the wrong moment may never answer again. Drop both.
      if (typeOf(error) === null) {
        if (place.broker === broker) place.broker = null
        await broker.cut(error as Error)
      }
      if (!place.answered && settings.sasl === undefined && error instanceof HungUp)
        throw new Error('the broker hung up on the first request: if it wants a login, see kafka.sasl', {
          cause: error,
        })
      throw named(`${place.host}:${place.port}`, error)
    } finally {
      over.abort(callEnded)
    }
  }

  async function onAny<T>(work: (broker: KafkaBroker) => Promise<T>): Promise<T> {
    const known = [...brokers.values()]
    const first = known.length === 0 ? 0 : turn++ % known.length
    let failure: unknown = new Error('no brokers are configured')
    for (const place of [...known.slice(first), ...known.slice(0, first), ...seeds]) {
      try {
        return await use(place, work)
      } catch (error) {
        if (typeOf(error) !== null) throw error
        // An error that names a setting to change is more useful than an unreachable broker.
        if (!isContractError(failure)) failure = error
      }
    }
    throw failure
  }

  async function ask(wanted: readonly string[]): Promise<void> {
    const metadata = await onAny((broker) => broker.metadata(wanted))
    controllerId = metadata.controllerId
    const live = new Set(metadata.brokers.map(({ nodeId }) => nodeId))
    for (const [nodeId, place] of brokers) {
      if (live.has(nodeId)) continue
      brokers.delete(nodeId)
      void cutAt(place, new Error(`broker ${nodeId} left the cluster`))
    }
    for (const { nodeId, host, port } of metadata.brokers) {
      const before = brokers.get(nodeId)
      if (before?.host === host && before.port === port) continue
      if (before !== undefined) void cutAt(before, new Error(`broker ${nodeId} moved to ${host}:${port}`))
      brokers.set(nodeId, placeAt(host, port, nodeId))
    }
    for (const { topic, errorCode, partitions } of metadata.topics) {
      if (errorCode === unknownTopic) topics.delete(topic)
      else if (errorCode === 0 || errorCode === leaderNotAvailable) {
        const leaders: number[] = []
        for (const { partition, leader } of partitions) leaders[partition] = leader
        topics.set(topic, leaders)
      } else throw brokerError(errorCode)
    }
  }

  function refresh(also: readonly string[] = []): Promise<void> {
    if (refreshing !== null && also.every((topic) => refreshing?.wanted.has(topic))) return refreshing.done
    const wanted = new Set([...topics.keys(), ...also])
    const asking = {
      wanted,
      done: ask([...wanted]).finally(() => {
        if (refreshing === asking) refreshing = null
      }),
    }
    refreshing = asking
    return asking.done
  }

  async function on<T>(nodeId: number, work: (broker: KafkaBroker) => Promise<T>, timeoutMs?: number): Promise<T> {
    const known = brokers.get(nodeId)
    if (known === undefined) throw new Error(`broker ${nodeId} is not known`)
    return use(known, work, timeoutMs)
  }

  const cut = async (reason: Error) => {
    await Promise.all([...seeds, ...brokers.values()].map((place) => cutAt(place, reason)))
  }

  return {
    async leaders(topic) {
      if (!topics.has(topic)) await refresh([topic])
      const leaders = topics.get(topic)
      if (leaders === undefined) throw topicMissing(topic)
      return leaders
    },
    knownLeaders: (topic) => topics.get(topic) ?? null,
    refresh,
    on,
    onAny,
    async onController(work) {
      await refresh()
      return on(controllerId, work)
    },
    async coordinator(groupId) {
      const nodeId = await onAny((broker) => broker.coordinatorOf(groupId))
      if (!brokers.has(nodeId)) await refresh()
      return nodeId
    },
    brokerCount: () => brokers.size,
    cut,
    async close() {
      closed = true
      await cut(logClosed())
    },
  }
}
