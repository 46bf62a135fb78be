import type { Clock } from '@freshet/domain/clock'
import type { SaslLogin } from './wire/broker.ts'

/** Libraries that can carry the requests to Kafka. */
export const kafkaClients = ['kafkajs', 'platformatic'] as const

/** One of them. */
export type KafkaClient = (typeof kafkaClients)[number]

/** Options of a log on Kafka; those with a default are optional. */
export interface KafkaEventLogOptions {
  /** `host:port` of some brokers; the client finds the others through them. */
  readonly brokers: readonly string[]
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string
  readonly clock: Clock
  /** Returns TLS options for `tls.connect`; called for every connection. Absent: no TLS. */
  readonly ssl?: () => object
  /** Returns the SASL login; called for every connection. Absent: no login. */
  readonly sasl?: () => SaslLogin
  /** The client library that sends the requests. */
  readonly client?: KafkaClient
  /** Copies of each partition that `applyTopics` asks for; null: three, or as many as there are brokers. */
  readonly replicationFactor?: number | null
  /** How long the first record of an idle producer waits for more records, milliseconds. */
  readonly lingerMs?: number
  /** An append without an answer after this rejects with LOG_UNAVAILABLE, as do metadata calls; milliseconds. */
  readonly appendTimeoutMs?: number
  /** Maximum size of records without an acknowledgement, bytes; beyond it appends reject with LOG_UNAVAILABLE. */
  readonly maxPendingBytes?: number
  /** Records of one partition sent together at most. */
  readonly maxSendRecords?: number
  /** Timeout of a request, after which its connection is dropped, milliseconds. */
  readonly requestTimeoutMs?: number
  /** Timeout of connecting, milliseconds. */
  readonly connectionTimeoutMs?: number
  /** How long a broker may delay its answer to a reader that has read everything, milliseconds. */
  readonly maxWaitMs?: number
  /** Maximum size of one read from a partition, bytes; a larger record still arrives, alone. */
  readonly maxBytesPerPartition?: number
  /** Maximum size of one read from a broker, bytes. */
  readonly maxBytesPerRead?: number
  /** Maximum size of data read ahead of one reader's handlers, bytes. */
  readonly maxReadAheadBytes?: number
  /** A member that sends no heartbeat for this long loses its partitions, milliseconds. */
  readonly sessionTimeoutMs?: number
  /**
   * A name that no other process has and this one keeps when it is started again: as a member of a group it then takes
   * its partitions back at once, where they would wait for a session to end. At most one reader per group bears it, and
   * an older one hears LOG_MEMBER_REPLACED and ends. Letters, digits, `.`, `_` and `-`; empty: each start is a new member.
   */
  readonly groupInstance?: string
  /** Interval of a member's heartbeats, milliseconds; at most a third of the session. */
  readonly heartbeatMs?: number
  /** How long a rebalance waits for handlers to end their batches, milliseconds. */
  readonly rebalanceTimeoutMs?: number
  /** Interval of writing a group's handled positions to Kafka, only for lag monitors; milliseconds. */
  readonly commitEveryMs?: number
  /** A reader that gets no answer for this long reconnects, milliseconds. */
  readonly stallMs?: number
}

/** The default values of options. */
export const kafkaDefaults = {
  client: 'kafkajs',
  replicationFactor: null,
  lingerMs: 2,
  appendTimeoutMs: 5_000,
  maxPendingBytes: 64 << 20,
  maxSendRecords: 10_000,
  requestTimeoutMs: 3_000,
  connectionTimeoutMs: 1_000,
  maxWaitMs: 500,
  maxBytesPerPartition: 512 << 10,
  maxBytesPerRead: 8 << 20,
  maxReadAheadBytes: 16 << 20,
  sessionTimeoutMs: 10_000,
  groupInstance: '',
  heartbeatMs: 1_000,
  rebalanceTimeoutMs: 60_000,
  commitEveryMs: 5_000,
  stallMs: 10_000,
} as const satisfies Partial<KafkaEventLogOptions>

/** Options with every default filled in. */
export type KafkaSettings = Omit<KafkaEventLogOptions, 'ssl' | 'sasl'> &
  Required<Pick<KafkaEventLogOptions, keyof typeof kafkaDefaults>> &
  Pick<KafkaEventLogOptions, 'ssl' | 'sasl'>

/** Fills in the defaults. */
export function withDefaults(options: KafkaEventLogOptions): KafkaSettings {
  return { ...kafkaDefaults, ...options }
}
