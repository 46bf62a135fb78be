import { createRequire } from 'node:module'
import { tlsAlertByte } from '../../shared/tls/problem.ts'

/*
 * kafkajs 2.2.4 brings connections, TLS, SASL and the encoding of rare requests. Its producer and consumer are not used:
 * an idempotent producer of it loses records when a request times out beside another, its consumer stalls on batches that
 * compaction has emptied, and neither tells positions exactly. So this reaches below its public surface; the version is pinned.
 */

/** A request and how its answer is read. */
export interface ProtocolCall<T> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: {
    decode(payload: Buffer): Promise<unknown>
    parse(decoded: unknown): Promise<T>
  }
  readonly requestTimeout?: number
  readonly logResponseError?: boolean
}

export interface KafkaConnection {
  connect(): Promise<boolean>
  isConnected(): boolean
  disconnect(): Promise<boolean>
  rejectRequests(error: Error): void
  processData(bytes: Buffer): void
  readonly socket?: { destroy(): void }
  /** What was read of an answer that is not whole yet. */
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

/** The configuration of a topic. */
export interface DescribedResource {
  readonly resourceName: string
  readonly configEntries: readonly {
    readonly configName: string
    readonly configValue: string | null
    readonly configSource: number
  }[]
}

/** A broker as kafkajs sees it; its methods throw `KafkaError`s. */
export interface KafkaBroker {
  nodeId: number
  /** What a connected broker supports, by number of the request; null: not connected yet. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null
  readonly brokerAddress: string
  readonly connectionPool: { readonly pool: readonly KafkaConnection[]; send<T>(call: ProtocolCall<T>): Promise<T> }
  connect(): Promise<void>
  lookupRequest(apiKey: number, definition: unknown): (args: object) => ProtocolCall<unknown>
  initProducerId(args: { transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>
  findGroupCoordinator(args: { groupId: string; coordinatorType: number }): Promise<{
    coordinator: { nodeId: number; host: string; port: number }
  }>
  joinGroup(args: {
    groupId: string
    sessionTimeout: number
    rebalanceTimeout: number
    memberId: string
    groupInstanceId: string | null
    groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
  }): Promise<{
    generationId: number
    leaderId: string
    memberId: string
    members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
  }>
  syncGroup(args: {
    groupId: string
    generationId: number
    memberId: string
    groupInstanceId: string | null
    groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
  }): Promise<{ memberAssignment: Buffer }>
  heartbeat(args: {
    groupId: string
    groupGenerationId: number
    memberId: string
    groupInstanceId: string | null
  }): Promise<unknown>
  leaveGroup(args: { groupId: string; memberId: string; groupInstanceId: string | null }): Promise<unknown>
  offsetCommit(args: {
    groupId: string
    groupGenerationId: number
    memberId: string
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }): Promise<unknown>
  listOffsets(args: {
    isolationLevel: number
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[]
    }[]
  }): Promise<{
    responses: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }>
  createTopics(args: { topics: readonly object[]; timeout: number }): Promise<unknown>
  describeConfigs(args: { resources: readonly object[] }): Promise<{ resources: readonly DescribedResource[] }>
  alterConfigs(args: { resources: readonly object[] }): Promise<unknown>
}

/** What kafkajs throws: `type` is the broker's error where it came from one. */
export interface KafkaError extends Error {
  readonly type?: string
  readonly retriable?: boolean
}

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

const load = createRequire(import.meta.url)
const Broker = load('kafkajs/src/broker/index.js') as new (options: object) => KafkaBroker
const ConnectionPool = load('kafkajs/src/network/connectionPool.js') as new (
  options: object,
) => KafkaBroker['connectionPool']
const createSocketFactory = load('kafkajs/src/network/socketFactory.js') as () => unknown
const requestQueue = load('kafkajs/src/network/requestQueue/index.js') as { readonly prototype: RequestQueue }
const { requests } = load('kafkajs/src/protocol/requests/index.js') as { requests: Readonly<Record<string, unknown>> }
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys.js') as Readonly<Record<string, number>>
const { createErrorFromCode } = load('kafkajs/src/protocol/error.js') as {
  createErrorFromCode: (code: number) => KafkaError
}
const assigner = load('kafkajs/src/consumer/assignerProtocol.js') as {
  MemberMetadata: {
    encode(metadata: { version: number; topics: readonly string[] }): Buffer
    decode(bytes: Buffer): { topics: readonly string[] }
  }
  MemberAssignment: {
    encode(assignment: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer
    decode(bytes: Buffer): { assignment: Readonly<Record<string, readonly number[]>> } | null
  }
}

export const { MemberMetadata, MemberAssignment } = assigner
export { createErrorFromCode }

// Otherwise each connection runs a timer of one millisecond for ever, 5 % of a core. It serves only what is pending.
const schedule = requestQueue.prototype.scheduleCheckPendingRequests
requestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this)
}

/** Bytes of an answer's length, which comes first. */
const lengthBytes = 4

const quiet = {
  info: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  debug: () => undefined,
  namespace: () => quiet,
}

/** How connections to brokers are made. */
export interface ConnectionSettings {
  readonly clientId: string
  readonly ssl?: () => object
  readonly sasl?: () => object
  readonly requestTimeoutMs: number
  readonly connectionTimeoutMs: number
}

/** A broker at an address, not connected yet. Its failures come as rejections only: nothing is logged, nothing retried. */
export function brokerAt(host: string, port: number, nodeId: number, settings: ConnectionSettings): KafkaBroker {
  const connectionPool = new ConnectionPool({
    host,
    port,
    clientId: settings.clientId,
    ssl: settings.ssl?.(),
    sasl: settings.sasl?.(),
    socketFactory: createSocketFactory(),
    connectionTimeout: settings.connectionTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    enforceRequestTimeout: true,
    logger: quiet,
  })
  for (const connection of connectionPool.pool) {
    shareConnect(connection)
    survive(connection)
  }
  return withInstanceIds(new Broker({ connectionPool, logger: quiet, nodeId, allowAutoTopicCreation: false }))
}

/** kafkajs encodes the stable name of a group's member, but the methods of its broker leave it out. */
function withInstanceIds(broker: KafkaBroker): KafkaBroker {
  const joinGroup: KafkaBroker['joinGroup'] = async (args) => {
    const join = { ...args, protocolType: 'consumer' }
    try {
      return await send(broker, 'JoinGroup', join)
    } catch (error) {
      const { name, memberId } = error as { readonly name?: string; readonly memberId?: string }
      if (name !== 'KafkaJSMemberIdRequired' || memberId === undefined) throw error
      return send(broker, 'JoinGroup', { ...join, memberId })
    }
  }
  return Object.assign(broker, {
    joinGroup,
    syncGroup: (args: object) => send(broker, 'SyncGroup', args),
    heartbeat: (args: object) => send(broker, 'Heartbeat', args),
    leaveGroup: (args: object) => send(broker, 'LeaveGroup', args),
  })
}

/**
 * Two requests on a lost connection would each open a socket, and both sockets feed one buffer. And what a lost connection
 * had read of an answer would stay: the next one's answers would be taken for the rest of it, so that none is ever whole.
 */
function shareConnect(connection: KafkaConnection): void {
  const connect = connection.connect.bind(connection)
  let connecting: Promise<boolean> | null = null
  const connectAnew = (): Promise<boolean> => {
    if (!connection.isConnected()) Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: lengthBytes })
    return connect()
  }
  connection.connect = () => (connecting ??= connectAnew().finally(() => (connecting = null)))
}

/** The broker answered with a TLS alert: it expects TLS here. */
export class TlsAlert extends Error {
  constructor() {
    super('the broker answered with a TLS alert')
    this.name = 'TlsAlert'
  }
}

/** Bytes that are no answer are a failure of the connection. Thrown in the socket's event they would end the process. */
function survive(connection: KafkaConnection): void {
  const processData = connection.processData.bind(connection)
  const giveUp = (reason: Error): void => {
    connection.rejectRequests(reason)
    void connection.disconnect().catch(() => false)
    connection.socket?.destroy()
  }
  connection.processData = (bytes) => {
    // As the length of an answer these two bytes would mean 353 MB.
    const first = connection.bytesBuffered === 0 && connection.bytesNeeded === lengthBytes
    if (first && bytes[0] === tlsAlertByte && bytes[1] === 3) return giveUp(new TlsAlert())
    try {
      processData(bytes)
    } catch (error) {
      giveUp(new Error('the broker sent bytes that are no answer', { cause: error }))
    }
  }
}

/** Sends a request whose per-topic errors are for the caller to read, where kafkajs throws the first one. */
export async function sendRaw<T>(broker: KafkaBroker, api: string, args: object): Promise<T> {
  const { request, response, requestTimeout } = callOf(broker, api, args)
  return broker.connectionPool.send<T>({
    request,
    response: { decode: (payload) => response.decode(payload), parse: (decoded) => Promise.resolve(decoded as T) },
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
  })
}

function send<T>(broker: KafkaBroker, api: string, args: object): Promise<T> {
  return broker.connectionPool.send(callOf(broker, api, args) as ProtocolCall<T>)
}

function callOf(broker: KafkaBroker, api: string, args: object): ProtocolCall<unknown> {
  const apiKey = apiKeys[api]
  if (apiKey === undefined) throw new RangeError(`kafkajs has no request ${api}`)
  return broker.lookupRequest(apiKey, requests[api])(args)
}

/** Cuts a broker's connections at once; what waits for an answer rejects. The next request connects again. */
export async function cutConnections(broker: KafkaBroker, reason: Error): Promise<void> {
  await Promise.all(
    broker.connectionPool.pool.map(async (connection) => {
      connection.rejectRequests(reason)
      const disconnected = connection.disconnect().catch(() => false)
      connection.socket?.destroy()
      await disconnected
    }),
  )
}
