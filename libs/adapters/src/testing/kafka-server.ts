import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers'
import type { StartedTestContainer } from 'testcontainers'
import type { Servers } from './redis-server.ts'

/** A Kafka to test against. */
export interface KafkaTarget {
  readonly brokers: readonly string[]
  /** What can be done to the broker, where it is a container of this test; null: somebody else's. */
  readonly faults: KafkaFaults | null
}

/** Faults of a broker. It keeps its address and its data. */
export interface KafkaFaults {
  /** Stops it for this long, as SIGSTOP does: it neither answers nor hangs up. */
  pause(ms: number): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>
}

/**
 * One broker: the one that `FRESHET_TEST_KAFKA` names (`host:port`; topics of random names are made there), else one in a
 * container. With `FRESHET_EXPECT_CONTAINERS=1` absence is an error.
 */
export async function kafkaServer(
  options: {
    /** A Docker volume for the log's files, e.g. a small one; it makes the broker one of this test whatever is named. */
    readonly dataVolume?: string
  } = {},
): Promise<Servers<KafkaTarget>> {
  const named = process.env['FRESHET_TEST_KAFKA']
  if (named !== undefined && named !== '' && options.dataVolume === undefined) {
    return { target: { brokers: named.split(','), faults: null }, stop: () => Promise.resolve() }
  }
  let container: StartedTestContainer
  const port = await freePort()
  try {
    container = await startContainer(port, options.dataVolume)
  } catch (error) {
    const absent = `no Kafka named by the environment, and no container (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return { absent }
  }
  const runtime = await getContainerRuntimeClient()
  const handle = runtime.container.getById(container.getId())
  return {
    target: {
      brokers: [`${container.getHost()}:${port}`],
      faults: {
        async pause(ms) {
          await handle.pause()
          await new Promise((resolve) => setTimeout(resolve, ms))
          await handle.unpause()
        },
        async kill() {
          await handle.kill({ signal: 'SIGKILL' })
        },
        async start() {
          const since = Math.floor(Date.now() / 1000)
          await handle.start()
          const log = await handle.logs({ follow: true, stdout: true, stderr: true, since })
          await new Promise<void>((resolve) => {
            log.on('data', (data) => String(data).includes('Kafka Server started') && resolve())
          })
          ;(log as { destroy?: () => void }).destroy?.()
        },
      },
    },
    async stop() {
      await container.stop({ timeout: 0 })
    },
  }
}

/** The port is chosen beforehand: the broker tells clients its own address, and it must be the same after a restart. */
function startContainer(port: number, dataVolume: string | undefined): Promise<StartedTestContainer> {
  const host = process.env['TESTCONTAINERS_HOST_OVERRIDE'] ?? 'localhost'
  return new GenericContainer(process.env['KAFKA_IMAGE'] ?? 'confluentinc/cp-kafka:8.3.1')
    .withExposedPorts({ container: 9093, host: port })
    .withBindMounts(dataVolume === undefined ? [] : [{ source: dataVolume, target: '/tmp/kafka-logs' }])
    .withEnvironment({
      CLUSTER_ID: 'freshet-test-cluster-id',
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
      KAFKA_LISTENERS: 'CLIENT://0.0.0.0:9093,BROKER://0.0.0.0:9092,CONTROLLER://0.0.0.0:9094',
      KAFKA_ADVERTISED_LISTENERS: `CLIENT://${host}:${port},BROKER://localhost:9092`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_BROKER_SESSION_TIMEOUT_MS: '3000',
      KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '500',
      KAFKA_LOG_CLEANER_BACKOFF_MS: '250',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start()
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
