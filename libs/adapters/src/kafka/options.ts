import type { Clock } from '@freshet/domain/clock'
import type { SaslLogin } from './wire/broker.ts'

/** Libraries that can carry the requests to Kafka. */
export const kafkaClients = ['kafkajs', 'platformatic'] as const

/** One of them. */
export type KafkaClient = (typeof kafkaClients)[number]

/** How a log on Kafka is reached and how it behaves; what has a default may be left out. */
export interface KafkaEventLogOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string
  readonly clock: Clock
  /** TLS: options as `tls.connect` takes them, asked for at every connection. Absent: none. */
  readonly ssl?: () => object
  /** SASL, asked for at every connection. Absent: no login. */
  readonly sasl?: () => SaslLogin
  /** The library that carries the requests. */
  readonly client?: KafkaClient
  /** Copies of each partition that `applyTopics` asks for; null: three, or as many as there are brokers. */
  readonly replicationFactor?: number | null
  /** How long the first record of a quiet producer waits for others to come along, milliseconds. */
  readonly lingerMs?: number
  /** An append without an answer after this rejects with LOG_UNAVAILABLE, as do metadata calls; milliseconds. */
  readonly appendTimeoutMs?: number
  /** Records that wait for an answer take up at most this; beyond it appends reject with LOG_UNAVAILABLE. Bytes. */
  readonly maxPendingBytes?: number
  /** Records of one partition sent together at most. */
  readonly maxSendRecords?: number
  /** A request without an answer after this is given up and its connection dropped, milliseconds. */
  readonly requestTimeoutMs?: number
  /** A connection not made after this is given up, milliseconds. */
  readonly connectionTimeoutMs?: number
  /** How long a broker may hold back its answer where a reader has read everything, milliseconds. */
  readonly maxWaitMs?: number
  /** What one read takes from a partition; a larger record still comes, alone. Bytes. */
  readonly maxBytesPerPartition?: number
  /** What one read takes from a broker, bytes. */
  readonly maxBytesPerRead?: number
  /** Read ahead of the handlers of one reader at most; beyond it nothing more is asked for. Bytes. */
  readonly maxReadAheadBytes?: number
  /** A member not heard of for this long loses its partitions, milliseconds. */
  readonly sessionTimeoutMs?: number
  /**
   * A name that no other process has and this one keeps when it is started again: as a member of a group it then takes
   * its partitions back at once, where they would wait for a session to end. At most one reader per group bears it, and
   * an older one hears LOG_MEMBER_REPLACED and ends. Letters, digits, `.`, `_` and `-`; empty: each start is a new member.
   */
  readonly groupInstance?: string
  /** How often a member is heard of, milliseconds; a third of the session at most. */
  readonly heartbeatMs?: number
  /** How long a hand-over waits for handlers to end their batches, milliseconds. */
  readonly rebalanceTimeoutMs?: number
  /** How often a group's handled positions are written to Kafka, for lag monitors alone; milliseconds. */
  readonly commitEveryMs?: number
  /** A reader that has something to read and got no answer for this long starts its connections anew, milliseconds. */
  readonly stallMs?: number
}

/** The options that have a default, with it. */
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
