import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { GenericContainer, Network, Wait, getContainerRuntimeClient } from 'testcontainers'
import type { StartedTestContainer } from 'testcontainers'
import type { Servers } from './redis-server.ts'

/** A Kafka broker for tests. */
export interface KafkaTarget {
  readonly brokers: readonly string[]
  /** Faults that tests can cause if the broker runs in a container of this test; null: it does not. */
  readonly faults: KafkaFaults | null
}

/** Faults of a broker. It keeps its address and its data. */
export interface KafkaFaults {
  /** Pauses it for this long, as SIGSTOP does: it neither answers nor hangs up. */
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
    /** 3: three brokers that are their own controllers, each record on two of them at least; faults are of the second. Default: 1. */
    readonly brokers?: 1 | 3
  } = {},
): Promise<Servers<KafkaTarget>> {
  const named = process.env['FRESHET_TEST_KAFKA']
  if (named !== undefined && named !== '' && options.dataVolume === undefined && options.brokers !== 3) {
    return { target: { brokers: named.split(','), faults: null }, stop: () => Promise.resolve() }
  }
  let started: StartedBrokers
  try {
    started = options.brokers === 3 ? await startThree() : await startOne(options.dataVolume)
  } catch (error) {
    const absent = `no Kafka named by the environment, and no container (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return { absent }
  }
  const runtime = await getContainerRuntimeClient()
  const handle = runtime.container.getById(started.faulty.getId())
  return {
    target: {
      brokers: started.ports.map((port) => `${started.faulty.getHost()}:${port}`),
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
    stop: started.stop,
  }
}

interface StartedBrokers {
  readonly ports: readonly number[]
  /** The container of the broker to which faults happen. */
  readonly faulty: StartedTestContainer
  stop(): Promise<void>
}

/** The port is chosen beforehand: the broker tells clients its own address, and it must be the same after a restart. */
async function startOne(dataVolume: string | undefined): Promise<StartedBrokers> {
  const port = await freePort()
  const faulty = await kafkaContainer([{ name: 'CLIENT', protocol: 'PLAINTEXT', port }])
    .withBindMounts(dataVolume === undefined ? [] : [{ source: dataVolume, target: '/tmp/kafka-logs' }])
    .start()
  return { ports: [port], faulty, stop: () => faulty.stop({ timeout: 0 }).then(() => undefined) }
}

/** Three brokers on a network of their own. */
async function startThree(): Promise<StartedBrokers> {
  const network = await new Network().start()
  const nodes = [1, 2, 3] as const
  const ports: number[] = []
  for (const _ of nodes) ports.push(await freePort())
  const starting = nodes.map((node, i) => {
    const port = ports[i]!
    const name = `kafka-${node}`
    return kafkaContainer([{ name: 'CLIENT', protocol: 'PLAINTEXT', port }], {
      KAFKA_NODE_ID: String(node),
      KAFKA_CONTROLLER_QUORUM_VOTERS: nodes.map((each) => `${each}@kafka-${each}:9094`).join(','),
      KAFKA_ADVERTISED_LISTENERS: `CLIENT://${testHost()}:${port},BROKER://${name}:9092`,
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '3',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '3',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '2',
      KAFKA_MIN_INSYNC_REPLICAS: '2',
      KAFKA_HEAP_OPTS: '-Xmx512m -Xms256m',
    })
      .withNetwork(network)
      .withNetworkAliases(name)
      .start()
  })
  const stopAll = async (): Promise<void> => {
    const all = await Promise.allSettled(starting)
    for (const each of all) if (each.status === 'fulfilled') await each.value.stop({ timeout: 0 })
    await network.stop()
  }
  try {
    const [, faulty] = await Promise.all(starting)
    return { ports, faulty: faulty!, stop: stopAll }
  } catch (error) {
    await stopAll()
    throw error
  }
}

/** A listener for clients, under a port of this machine. */
export interface KafkaListener {
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'
  readonly port: number
}

/** One broker that is its own controller, with an inner listener `BROKER` on localhost:9092 besides. */
export function kafkaContainer(
  clients: readonly KafkaListener[],
  environment: Readonly<Record<string, string>> = {},
): GenericContainer {
  const host = testHost()
  const inside = (i: number): number => 9193 + i
  const listeners = clients.map(({ name }, i) => `${name}://0.0.0.0:${inside(i)}`)
  const advertised = clients.map(({ name, port }) => `${name}://${host}:${port}`)
  const protocols = clients.map(({ name, protocol }) => `${name}:${protocol}`)
  return new GenericContainer(process.env['KAFKA_IMAGE'] ?? 'confluentinc/cp-kafka:8.3.1')
    .withExposedPorts(...clients.map(({ port }, i) => ({ container: inside(i), host: port })))
    .withEnvironment({
      CLUSTER_ID: 'freshet-test-cluster-id',
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
      KAFKA_LISTENERS: [...listeners, 'BROKER://0.0.0.0:9092', 'CONTROLLER://0.0.0.0:9094'].join(','),
      KAFKA_ADVERTISED_LISTENERS: [...advertised, 'BROKER://localhost:9092'].join(','),
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: [...protocols, 'BROKER:PLAINTEXT', 'CONTROLLER:PLAINTEXT'].join(','),
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
      ...environment,
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
}

/** The host under which containers' ports are reachable. */
export function testHost(): string {
  return process.env['TESTCONTAINERS_HOST_OVERRIDE'] ?? 'localhost'
}

/** A currently free TCP port. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
