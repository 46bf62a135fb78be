/** A fault, and where it is played. */
export interface CoveredFault {
  readonly fault: string
  /** Rows of `npm run chaos`. */
  readonly rows: readonly string[]
  /** Files of tests. */
  readonly tests: readonly string[]
  /** What of it nothing here plays; empty: nothing is known to be missing. */
  readonly missing: string
}

const system = 'test/system/failures.test.ts'

/** Which fault is covered by which row or test, and what is not. */
export const coverage: readonly CoveredFault[] = [
  {
    fault: 'a service killed (kill -9), the only one or one of two',
    rows: [
      'kill-event-ingest',
      'kill-feature-updater',
      'kill-candidate-service',
      'kill-ranker',
      'kill-blender',
      'kill-one-of-two-candidate-services',
      'kill-one-of-two-rankers',
      'kill-one-of-two-blenders',
    ],
    tests: ['test/system/whole-path.test.ts', 'test/system/joiner.test.ts'],
    missing: 'a machine that loses its power with several of them',
  },
  {
    fault: 'a service that hangs',
    rows: ['hung-candidate-service', 'hung-ranker', 'updater-stopped'],
    tests: [],
    missing: '',
  },
  {
    fault: 'network cut between the blender and another',
    rows: ['partition-blender-candidate-service', 'partition-blender-ranker', 'partition-blender-redis'],
    tests: [],
    missing: 'a cut in one direction only; packets that are delayed or lost',
  },
  {
    fault: 'network cut between a service and Kafka',
    rows: ['kafka-unreachable'],
    tests: [system],
    missing: 'Kafka cut off from one service while the others reach it',
  },
  {
    fault: 'network cut between the updater and Redis',
    rows: ['redis-paused'],
    tests: [system],
    missing: 'Redis cut off from the updater while the blender reaches it',
  },
  {
    fault: 'the broker restarted, or its disk full',
    rows: ['kafka-restarted', 'kafka-disk-full'],
    tests: ['libs/adapters/src/kafka/event-log.contract.test.ts'],
    missing: '',
  },
  {
    fault: 'one of three brokers lost',
    rows: ['one-of-three-brokers-lost'],
    tests: ['test/system/compose.test.ts'],
    missing: 'two of three lost: writing stops until one is back',
  },
  {
    fault: 'Redis restarted empty, or from an older file',
    rows: ['redis-restarted', 'redis-restored'],
    tests: [system, 'apps/freshet/src/backup/restore.contract.test.ts'],
    missing: '',
  },
  {
    fault: 'Redis fails over to a replica that missed the end',
    rows: ['redis-replaced'],
    tests: ['libs/adapters/src/redis/state-store.contract.test.ts'],
    missing: '',
  },
  {
    fault: 'Redis Cluster: slots move, a master fails',
    rows: [],
    tests: ['libs/adapters/src/redis/state-store.contract.test.ts'],
    missing: 'both under the load of whole services',
  },
  {
    fault: 'a log younger than the state, and its adoption',
    rows: [],
    tests: [
      'apps/freshet/src/backup/restore.contract.test.ts',
      'apps/feature-updater/src/log-replaced.test.ts',
      'test/simulation/simulation.test.ts',
    ],
    missing: 'under load',
  },
  { fault: 'everything away at once', rows: ['all-hung', 'all-dead'], tests: [], missing: '' },
  {
    fault: 'a consumer that is too slow',
    rows: ['slow-updater'],
    tests: [],
    missing: 'a candidate-service or ranker that is too slow for its topics',
  },
  {
    fault: 'clocks that are off',
    rows: ['clocks-off', 'service-clocks-off'],
    tests: [],
    missing: 'a clock that jumps while its process runs; the clocks of Kafka and Redis',
  },
  {
    fault: 'rolling restart and update',
    rows: ['rolling-restarts'],
    tests: ['apps/freshet/src/rolling-update.test.ts'],
    missing: 'by images: `npm run chaos:upgrade` plays two checkouts under load, up and back, in any order',
  },
  {
    fault: 'certificates rotated',
    rows: [],
    tests: ['test/system/tls.test.ts'],
    missing: 'under the load of whole services; those of Redis need a restart',
  },
  {
    fault: 'disk of the data folder full, file damaged',
    rows: [],
    tests: ['libs/adapters/src/lmdb/data-file.test.ts'],
    missing: '',
  },
  {
    fault: 'data folder lost and restored from a backup',
    rows: [],
    tests: ['test/system/backup.test.ts'],
    missing: '',
  },
]
