import { createRequire } from 'node:module'
import { ContractError } from '@freshet/contracts/errors'

/** The kafkajs release whose private modules were verified to have these shapes. */
const knownVersion = '2.2.4'

/** A request of kafkajs and how its answer is read. */
export interface KafkajsCall<T> {
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
}

/** A connection of kafkajs. */
export interface KafkajsConnection {
  connect(): Promise<boolean>
  isConnected(): boolean
  disconnect(): Promise<boolean>
  rejectRequests(error: Error): void
  processData(bytes: Buffer): void
  readonly socket?: { destroy(): void }
  /** The bytes read so far of an incomplete answer. */
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

/** The connections of kafkajs to one broker. */
export interface KafkajsPool {
  readonly pool: readonly KafkajsConnection[]
  send<T>(call: KafkajsCall<T>): Promise<T>
}

/** The parts of a kafkajs broker that we use. */
export interface KafkajsBroker {
  /** The versions that a connected broker supports, by request number; null: not connected yet. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null
  connect(): Promise<void>
  lookupRequest(apiKey: number, definition: unknown): (args: object) => KafkajsCall<unknown>
}

/** The queue of requests of one connection. */
export interface KafkajsRequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

/** The private parts of kafkajs that this room uses. */
export interface KafkajsParts {
  readonly Broker: new (options: object) => KafkajsBroker
  readonly ConnectionPool: new (options: object) => KafkajsPool
  readonly RequestQueue: { readonly prototype: KafkajsRequestQueue }
  readonly createSocketFactory: () => unknown
  readonly requests: Readonly<Record<string, unknown>>
  readonly apiKeys: Readonly<Record<string, number>>
}

/** Loads a module by its path. Throws where there is none. */
export type ModuleLoader = (path: string) => unknown

/** The requests that kafkajs encodes for us, with the number that each has in Kafka's protocol. */
export const usedRequests = {
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  GroupCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  CreateTopics: 19,
  InitProducerId: 22,
  DescribeConfigs: 32,
  AlterConfigs: 33,
} as const

/** A request that kafkajs encodes for us. */
export type UsedRequest = keyof typeof usedRequests

/** A silent logger, because kafkajs requires one. */
export const silent = {
  info: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  debug: () => undefined,
  namespace: () => silent,
}

type Check = (holds: boolean, shape: string) => void

/**
 * Loads the private parts of kafkajs and checks every shape that this room relies on, without connecting. Throws
 * LOG_CLIENT_UNSUPPORTED with the first shape that is missing and what to do.
 */
export function loadKafkajs(load: ModuleLoader = createRequire(import.meta.url)): KafkajsParts {
  const version = versionOf(load)
  const check: Check = (holds, shape) => {
    if (!holds) throw unsupported(shape, version)
  }
  const part = (path: string): unknown => {
    try {
      return load(path)
    } catch (error) {
      throw unsupported(`the module ${path}`, version, error)
    }
  }
  const parts = {
    Broker: part('kafkajs/src/broker/index.js'),
    ConnectionPool: part('kafkajs/src/network/connectionPool.js'),
    RequestQueue: part('kafkajs/src/network/requestQueue/index.js'),
    createSocketFactory: part('kafkajs/src/network/socketFactory.js'),
    requests: (part('kafkajs/src/protocol/requests/index.js') as { requests?: unknown } | null)?.requests,
    apiKeys: part('kafkajs/src/protocol/requests/apiKeys.js'),
  } as unknown as KafkajsParts
  checkClasses(parts, check)
  checkRequests(parts, check)
  checkPool(parts, check)
  return parts
}

function checkClasses({ Broker, ConnectionPool, RequestQueue, createSocketFactory }: KafkajsParts, check: Check): void {
  const hasMethods = (name: string, owner: unknown, methods: readonly string[]): void => {
    check(typeof owner === 'function', `the class ${name}`)
    const { prototype } = owner as { readonly prototype?: Readonly<Record<string, unknown>> }
    for (const method of methods) check(typeof prototype?.[method] === 'function', `${name}.prototype.${method}`)
  }
  hasMethods('Broker', Broker, ['connect'])
  hasMethods('ConnectionPool', ConnectionPool, ['send'])
  hasMethods('RequestQueue', RequestQueue, ['scheduleCheckPendingRequests'])
  check(typeof createSocketFactory === 'function', 'the function createSocketFactory')
}

function checkRequests({ requests, apiKeys }: KafkajsParts, check: Check): void {
  for (const [name, key] of Object.entries(usedRequests)) {
    check(apiKeys?.[name] === key, `apiKeys.${name} = ${key}`)
    const { versions, protocol } = (requests?.[name] ?? {}) as { versions?: unknown; protocol?: unknown }
    check(Array.isArray(versions) && typeof protocol === 'function', `requests.${name} with versions and protocol`)
  }
}

/** A pool connects only when it is asked to send, so one can be made to be looked at. */
function checkPool(parts: KafkajsParts, check: Check): void {
  const { Broker, ConnectionPool, createSocketFactory } = parts
  let pool: Partial<KafkajsPool> | null = null
  let broker: Partial<KafkajsBroker> | null = null
  try {
    const socketFactory = createSocketFactory()
    pool = new ConnectionPool({ host: 'localhost', port: 9092, clientId: 'shapes', socketFactory, logger: silent })
    broker = new Broker({ connectionPool: pool, logger: silent, nodeId: -1, allowAutoTopicCreation: false })
  } catch {
    check(false, 'a ConnectionPool and a Broker that can be made without connecting')
  }
  check(typeof broker?.lookupRequest === 'function', 'Broker#lookupRequest')
  check(broker !== null && 'versions' in broker, 'Broker#versions')
  const connections = Array.isArray(pool?.pool) ? pool.pool : []
  check(connections.length > 0, 'ConnectionPool#pool with connections')
  for (const connection of connections as readonly Partial<Record<string, unknown>>[]) {
    for (const method of ['connect', 'isConnected', 'disconnect', 'rejectRequests', 'processData'])
      check(typeof connection[method] === 'function', `Connection#${method}`)
    check(Array.isArray(connection['chunks']), 'Connection#chunks')
    for (const count of ['bytesBuffered', 'bytesNeeded'])
      check(typeof connection[count] === 'number', `Connection#${count}`)
    const queue = connection['requestQueue'] as Partial<KafkajsRequestQueue> | undefined
    check(Array.isArray(queue?.pending), 'RequestQueue#pending')
  }
}

function versionOf(load: ModuleLoader): string {
  try {
    const { version } = load('kafkajs/package.json') as { readonly version?: unknown }
    return typeof version === 'string' ? version : 'of an unknown version'
  } catch {
    return 'of an unknown version'
  }
}

function unsupported(shape: string, version: string, cause?: unknown): ContractError {
  return new ContractError(
    'LOG_CLIENT_UNSUPPORTED',
    `kafkajs ${version} lacks ${shape}, which Freshet relies on: install kafkajs ${knownVersion}, or set kafka.client to platformatic`,
    { cause },
  )
}
