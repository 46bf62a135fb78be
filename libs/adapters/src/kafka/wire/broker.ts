/** A request that we encode ourselves, and the decoder of its answer. */
export interface ProtocolCall<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  /** The request after its header. */
  encode(): Buffer
  /** Reads the answer after its header. */
  decode(payload: Buffer): T
}

/** Options of connections to brokers. */
export interface ConnectionSettings {
  readonly clientId: string
  /** Options as `tls.connect` takes them. */
  readonly ssl?: () => object
  readonly sasl?: () => SaslLogin
  readonly requestTimeoutMs: number
  readonly connectionTimeoutMs: number
}

/** How a client logs in. */
export interface SaslLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** The brokers of a cluster and the leaders of some topics. */
export interface ClusterMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly leader: number }[]
  }[]
}

/** The identity that an idempotent producer writes into its batches. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** A group member, as requests name it. */
export interface GroupMemberId {
  readonly groupId: string
  readonly memberId: string
  /** The stable name of the member; null: it has none. */
  readonly groupInstanceId: string | null
}

/** A member at one generation of its group. */
export interface GroupGeneration extends GroupMemberId {
  readonly generationId: number
}

/** A request to join a group. */
export interface JoinRequest extends GroupMemberId {
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocol: string
  /** As `encodeSubscription` writes it. */
  readonly metadata: Buffer
}

/** The generation that a member joined. `members` is empty unless the member leads the group. */
export interface JoinedGroup {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

/** A topic to create. */
export interface NewTopic {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: readonly ConfigEntry[]
}

/** One setting of a topic. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string
}

/** The configuration of a topic as a broker has it. `source` 1: set for this topic. */
export interface TopicConfig {
  readonly topic: string
  readonly entries: readonly { readonly name: string; readonly value: string | null; readonly source: number }[]
}

/**
 * One broker. It neither retries nor logs: each method rejects with a `BrokerError` if the broker refused,
 * and with another error if no answer came.
 */
export interface KafkaBroker {
  /** Connects if necessary. */
  connect(): Promise<void>
  send<T>(call: ProtocolCall<T>): Promise<T>
  /** The latest version of a request that the connected broker knows; 0: not connected, or not known. */
  maxVersion(apiKey: number): number
  metadata(topics: readonly string[]): Promise<ClusterMetadata>
  initProducerId(): Promise<ProducerIdentity>
  /** The node that coordinates a group. */
  coordinatorOf(groupId: string): Promise<number>
  joinGroup(join: JoinRequest): Promise<JoinedGroup>
  /** Sends the leader's assignments; resolves to this member's part, for `decodeAssignment`. */
  syncGroup(
    member: GroupGeneration,
    assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
  ): Promise<Buffer>
  heartbeat(member: GroupGeneration): Promise<void>
  leaveGroup(member: GroupMemberId): Promise<void>
  commitOffsets(
    member: GroupGeneration,
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly position: number }[]
    }[],
  ): Promise<void>
  /** Positions of partitions at a time; -2: their beginning, -1: their end. */
  positionsAt(
    topic: string,
    partitions: readonly number[],
    timestamp: number,
  ): Promise<readonly { readonly partition: number; readonly position: number }[]>
  createTopics(topics: readonly NewTopic[], timeoutMs: number): Promise<void>
  /** `names`: the settings to read; null: all. */
  describeTopics(topics: readonly string[], names: readonly string[] | null): Promise<readonly TopicConfig[]>
  /** Replaces all settings of topics. */
  alterTopics(topics: readonly { readonly topic: string; readonly config: readonly ConfigEntry[] }[]): Promise<void>
  /** Cuts the connections immediately; pending requests reject. The next request reconnects. */
  cut(reason: Error): Promise<void>
}

/** Creates a broker at an address, not connected yet. */
export type BrokerFactory = (host: string, port: number) => KafkaBroker
