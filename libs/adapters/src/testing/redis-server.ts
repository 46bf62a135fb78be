import type { NatMap } from 'ioredis'
import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers'
import type { StartedTestContainer } from 'testcontainers'

/** A Redis server for tests. */
export interface RedisTarget {
  readonly url: string
  /** Faults that tests can cause if the server runs in a container of this test; null: it does not. */
  readonly faults: RedisFaults | null
}

/** A Redis Cluster of three masters for tests. */
export interface RedisClusterTarget {
  readonly nodes: readonly string[]
  readonly natMap: NatMap
  readonly faults: RedisFaults | null
}

/** Faults of servers, which are identified by their port inside the container. */
export interface RedisFaults {
  /** STOP: the server neither answers nor hangs up; CONT: it continues; KILL: it ends. */
  signal(ports: readonly number[], signal: 'STOP' | 'CONT' | 'KILL'): Promise<void>
  /** Starts a server, empty. */
  start(port: number): Promise<void>
  /** Runs redis-cli on the server. */
  cli(port: number, ...args: readonly string[]): Promise<string>
  address(port: number): { readonly host: string; readonly port: number }
}

/** A server to test against, or why there is none. */
export type Servers<T> = { readonly target: T; stop(): Promise<void> } | { readonly absent: string }

/** The ports inside the container: a server and another one that may become its replica. */
export const redisPorts = { primary: 6379, replica: 6380, cluster: [7001, 7002, 7003] } as const

/**
 * One server: the one that `FRESHET_TEST_REDIS` names (its keys under the test's prefix are written), else one in a
 * container. With `FRESHET_EXPECT_CONTAINERS=1` absence is an error.
 */
export async function redisServer(): Promise<Servers<RedisTarget>> {
  const url = process.env['FRESHET_TEST_REDIS']
  if (url !== undefined && url !== '') return { target: { url, faults: null }, stop: () => Promise.resolve() }
  const ports = [redisPorts.primary, redisPorts.replica]
  return inContainer(ports, async (faults) => {
    for (const port of ports) await faults.start(port)
    const { host, port } = faults.address(redisPorts.primary)
    return { url: `redis://${host}:${port}`, faults }
  })
}

/** Three masters: those that `FRESHET_TEST_REDIS_CLUSTER` names, with commas between, else three in a container. */
export async function redisCluster(): Promise<Servers<RedisClusterTarget>> {
  const named = process.env['FRESHET_TEST_REDIS_CLUSTER']
  if (named !== undefined && named !== '') {
    return { target: { nodes: named.split(','), natMap: {}, faults: null }, stop: () => Promise.resolve() }
  }
  return inContainer(redisPorts.cluster, async (faults) => {
    for (const port of redisPorts.cluster) await faults.start(port)
    const first = redisPorts.cluster[0]
    const inside = redisPorts.cluster.map((port) => `127.0.0.1:${port}`)
    await faults.cli(first, '--cluster', 'create', ...inside, '--cluster-yes')
    for (const port of redisPorts.cluster) {
      await until(async () => (await faults.cli(port, 'cluster', 'info')).includes('cluster_state:ok'), 20_000)
    }
    const reachable = redisPorts.cluster.map((port) => faults.address(port))
    return {
      nodes: reachable.map(({ host, port }) => `redis://${host}:${port}`),
      natMap: Object.fromEntries(inside.map((address, i) => [address, reachable[i]!])),
      faults,
    }
  })
}

async function inContainer<T>(
  ports: readonly number[],
  prepare: (faults: RedisFaults) => Promise<T>,
): Promise<Servers<T>> {
  let container: StartedTestContainer
  try {
    container = await redisContainer(ports)
  } catch (error) {
    const absent = `no Redis named by the environment, and no container (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return { absent }
  }
  try {
    const target = await prepare(faultsOf(container))
    return { target, stop: () => container.stop({ timeout: 0 }).then(() => undefined) }
  } catch (error) {
    await container.stop({ timeout: 0 })
    throw error
  }
}

/** A container in which servers are started beside a shell; these ports are reached from outside. */
export async function redisContainer(
  ports: readonly number[],
  prepare: (container: GenericContainer) => GenericContainer = (container) => container,
): Promise<StartedTestContainer> {
  await getContainerRuntimeClient()
  return prepare(
    new GenericContainer(process.env['REDIS_IMAGE'] ?? 'redis:7.0-bookworm')
      // The servers run beside this shell: the first process of a container cannot be stopped by a signal from within.
      .withEntrypoint(['sh', '-c', 'echo prepared; while :; do sleep 1; done'])
      .withExposedPorts(...ports)
      .withWaitStrategy(Wait.forLogMessage('prepared')),
  ).start()
}

function faultsOf(container: StartedTestContainer): RedisFaults {
  const exec = async (command: readonly string[]): Promise<string> => {
    const { exitCode, output } = await container.exec([...command])
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${output}`)
    return output
  }
  const cli = (port: number, ...args: readonly string[]) => exec(['redis-cli', '-p', String(port), ...args])
  return {
    async signal(ports, signal) {
      for (const port of ports) await exec(['sh', '-c', `kill -${signal} $(cat /tmp/${port}.pid)`])
    },
    async start(port) {
      const cluster = port >= 7000 ? ['--cluster-enabled', 'yes', '--cluster-config-file', `/tmp/${port}.conf`] : []
      const memory = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0']
      const place = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--daemonize', 'yes', '--dir', '/tmp']
      await exec([
        'redis-server',
        '--port',
        String(port),
        '--pidfile',
        `/tmp/${port}.pid`,
        ...place,
        ...memory,
        ...cluster,
      ])
      await until(async () => (await cli(port, 'ping').catch(() => '')).includes('PONG'), 10_000)
    },
    cli,
    address: (port) => ({ host: container.getHost(), port: container.getMappedPort(port) }),
  }
}

/** Polls a condition until it holds; throws after the deadline. */
export async function until(isSo: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so within ${deadlineMs} ms: ${isSo.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
