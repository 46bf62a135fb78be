/** A number that the capacity model computes with. */
export interface Coefficient {
  readonly value: number
  readonly unit: string
  readonly what: string
  readonly source: MeasuredSource | AssumedSource
}

/** A figure of test/RESULTS.md. A test compares it. */
export interface MeasuredSource {
  readonly kind: 'measured'
  /** The section of the results. */
  readonly section: string
  /** The row of its benchmark. */
  readonly key: string
  /** How the figure stands in a record that was made by hand, before the benchmark wrote records. */
  readonly quote?: string
}

/** A number that nothing here measured. */
export interface AssumedSource {
  readonly kind: 'assumed'
  readonly why: string
}

const measured = (section: string, key: string, quote?: string): MeasuredSource => ({
  kind: 'measured',
  section,
  key,
  ...(quote === undefined ? {} : { quote }),
})
const assumed = (why: string): AssumedSource => ({ kind: 'assumed', why })

/** Every number of the model. */
export const coefficients = {
  ingestUs: {
    value: 9.9,
    unit: 'µs CPU an event',
    what: 'event-ingest: an event in batches of 20 over HTTP onto Kafka, with a key and limits',
    source: measured('bench-ingest-kafka', 'ingest, log in Kafka, server CPU', 'server CPU 9.9 µs an event'),
  },
  updaterUs: {
    value: 25,
    unit: 'µs CPU an event',
    what: 'feature-updater: an event into user and pin state, on Kafka and Redis',
    source: measured(
      'bench-updater-cluster',
      'updater on Kafka and Redis, user and pin state, 10 events a user, CPU',
      'with pin state 42,500, 0.11×, 25 µs',
    ),
  },
  feedMs: {
    value: 23.1,
    unit: 'ms CPU a feed',
    what: 'a feed of 25 in all five processes, at 3,000 to 35,000 pins',
    source: measured('bench-get-feed-cluster', 'GetFeed, MovieTweetings, c = 1, server CPU', '23.1 / 15.2 ms'),
  },
  rankMs: {
    value: 4.7,
    unit: 'ms CPU a feed',
    what: 'ranker: 500 candidates with 35 features',
    source: measured('bench-rank', 'Rank over gRPC with features, server CPU', '4.7 ms'),
  },
  retrieveSmallMs: {
    value: 2.8,
    unit: 'ms CPU a feed',
    what: 'candidate-service: all sources at 10⁵ pins',
    source: measured('bench-retrieve', 'Retrieve, 100000 pins, CPU', '2.8 at 10⁵'),
  },
  retrieveLargeMs: {
    value: 9.5,
    unit: 'ms CPU a feed',
    what: 'candidate-service: all sources at 10⁶ pins',
    source: measured('bench-retrieve', 'Retrieve, 1000000 pins, CPU', '9.5 at 10⁶'),
  },
  userBytes: {
    value: 7_600,
    unit: 'bytes',
    what: 'state of a typical active user: 30 days, 40 impressions and 6 actions a day, UUIDs',
    source: measured('bench-sizes', 'user state, typical active user, ids by uuid, written whole', 'with UUIDs 7.6'),
  },
  pinStateBytes: {
    value: 258,
    unit: 'bytes',
    what: 'state of a pin or board that somebody acted on',
    source: measured('bench-bytes', 'state of a pin or board'),
  },
  dedupeBytes: {
    value: 9.2,
    unit: 'bytes',
    what: 'memory of an event id within the dedupe window (1 day)',
    source: assumed('9.2 by an earlier benchmark; a contract test of the Redis store fails at 14, at 10⁶ ids'),
  },
  redisKeyBytes: {
    value: 100,
    unit: 'bytes',
    what: 'Redis: a key beside its value (dictionary entry, object, expiry, allocator)',
    source: assumed('Redis 7 documentation and redis-cli memory usage of small values give 50 to 160'),
  },
  sessionBytes: {
    value: 30_000,
    unit: 'bytes',
    what: 'served set, reserve and last good feed of a user who came within a day',
    source: assumed('caps: 12 bytes for each of up to 2,000 served pins, 60 bytes for each of 100 in the reserve'),
  },
  engagementBytes: {
    value: 229,
    unit: 'bytes',
    what: 'Kafka: engagements.v1, for an event, not packed',
    source: measured('bench-bytes', 'engagements.v1, for an event'),
  },
  onwardBytes: {
    value: 71.8,
    unit: 'bytes',
    what: 'Kafka: pin-engagements.v1, for an event, not packed',
    source: measured('bench-bytes', 'pin-engagements.v1, for an event'),
  },
  servedBytes: {
    value: 13_981,
    unit: 'bytes',
    what: 'Kafka: feeds-served.v1, for a feed, not packed',
    source: measured('bench-bytes', 'feeds-served.v1, for a feed'),
  },
  catalogueBytes: {
    value: 204,
    unit: 'bytes',
    what: 'Kafka: pins.v1, for a pin without an embedding, not packed',
    source: measured('bench-bytes', 'pins.v1, for a pin'),
  },
  candidatePinBytes: {
    value: 235,
    unit: 'bytes',
    what: 'candidate-service: views, for one more pin without embeddings',
    source: measured('bench-bytes', 'views of candidate-service, one more pin'),
  },
  blenderPinBytes: {
    value: 292,
    unit: 'bytes',
    what: 'blender: columns and cards, for one more pin',
    source: measured('bench-bytes', 'views of blender, one more pin'),
  },
  rankerPinBytes: {
    value: 400,
    unit: 'bytes',
    what: 'ranker: catalogue entry and pin state, for one more pin',
    source: assumed('the ranker does not show the bytes of its views; columns and a decoded state of some counters'),
  },
  embeddingBytes: {
    value: 640,
    unit: 'bytes',
    what: 'one more pin with two embeddings of 64 numbers: float32 and int8 in each index',
    source: assumed('64 × (4 + 1) bytes, for Pin2Vec and for a visual embedding; 512 wide ones take eight times that'),
  },
  trailMiB: {
    value: 146,
    unit: 'MiB for 10⁶ actions',
    what: 'candidate-service: neighbour index',
    source: measured('bench-shards', 'neighbour index, whole', '146, 75, 40, 22 MiB'),
  },
  edgeBytes: {
    value: 40,
    unit: 'bytes',
    what: 'candidate-service: graph of boards and trails, for an edge',
    source: assumed(
      'two entries of a few numbers; `npm run bench -- --only Retrieve` prints it, and no run is on record',
    ),
  },
  processMB: {
    value: 154,
    unit: 'MB',
    what: 'a process without data',
    source: measured('soak-catalogue', 'idle, no data', '154'),
  },
  use: {
    value: 0.6,
    unit: 'share',
    what: 'of a core that a pod uses at the peak',
    source: assumed('the rest is for the tail of latency, rebalances and one pod less during an upgrade'),
  },
  coreMonth: {
    value: 25,
    unit: 'USD',
    what: 'a core for a month',
    source: assumed('list prices of 2026 for reserved machines; give --core-price'),
  },
  memoryGiBMonth: {
    value: 3,
    unit: 'USD',
    what: 'a GiB of memory for a month',
    source: assumed('as above; give --memory-price'),
  },
  diskGiBMonth: {
    value: 0.1,
    unit: 'USD',
    what: 'a GiB of disk for a month',
    source: assumed('as above; give --disk-price'),
  },
} as const satisfies Readonly<Record<string, Coefficient>>

/** What the model assumes, fixed by the product. */
export const limits = {
  /** Partitions by default. */
  partitions: 32,
  /** The largest catalogue that a benchmark has. */
  measuredPins: 1_000_000,
  /** Caps of the views, by default: `candidates.retrieval.maxPins`, `ranking.maxPins`, `blender.maxPins`. */
  pinsPerProcess: 4_000_000,
  /** Actions that the neighbour index keeps by default (`candidates.retrieval.maxSessionActions`). */
  keptActions: 40_000_000,
  /** Edges of the graph (`candidates.retrieval.maxEdges`). */
  keptEdges: 20_000_000,
  /** All keys of a partition are in one hash slot, so one Redis process holds them. */
  partitionBytes: 2 * 2 ** 30,
  redisBytes: 12 * 2 ** 30,
  /** Memory that a pod may have: beyond, the model asks for shards. */
  podBytes: 16 * 2 ** 30,
  dedupeDays: 1,
} as const
