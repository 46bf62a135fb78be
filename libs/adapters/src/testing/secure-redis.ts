import type { StartedTestContainer } from 'testcontainers'
import type { Certificates } from './certificates.ts'
import { redisContainer, until, type Servers } from './redis-server.ts'

/** Redis by TLS and with logins. Addresses hold no passwords. */
export interface SecureRedis {
  /** TLS; wants the login. */
  readonly login: string
  /** TLS; wants a client's certificate besides. */
  readonly certificate: string
  /** In the clear; wants the login. */
  readonly plain: string
  /** Three masters, TLS between them too; they announce addresses that are reachable from here. */
  readonly cluster: readonly string[]
  readonly username: string
  readonly password: string
}

const ports = { plain: 6379, login: 6380, certificate: 6381, cluster: [7001, 7002, 7003] } as const
const username = 'freshet'
const password = 'p4ss#with:odd@signs/'

/** Starts them in a container. With `FRESHET_EXPECT_CONTAINERS=1` absence is an error. */
export async function secureRedis(certificates: Certificates): Promise<Servers<SecureRedis>> {
  let container: StartedTestContainer
  try {
    container = await redisContainer([ports.plain, ports.login, ports.certificate, ...ports.cluster], (prepared) =>
      prepared.withCopyFilesToContainer([
        { source: certificates.server.cert, target: '/certs/cert.pem', mode: 0o644 },
        { source: certificates.server.key, target: '/certs/key.pem', mode: 0o644 },
        { source: certificates.ca, target: '/certs/ca.pem', mode: 0o644 },
      ]),
    )
  } catch (error) {
    const absent = `no container of Redis (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return { absent }
  }
  const stop = (): Promise<void> => container.stop({ timeout: 0 }).then(() => undefined)
  try {
    return { target: await startServers(container), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startServers(container: StartedTestContainer): Promise<SecureRedis> {
  const exec = async (...command: readonly string[]): Promise<string> => {
    const { exitCode, output } = await container.exec([...command])
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${output}`)
    return output
  }
  const files = [
    '--tls-cert-file',
    '/certs/cert.pem',
    '--tls-key-file',
    '/certs/key.pem',
    '--tls-ca-cert-file',
    '/certs/ca.pem',
  ]
  const user = ['--user', username, 'on', `>${password}`, '~*', '&*', '+@all', '--user', 'default', 'off']
  const start = (port: number, ...own: readonly string[]): Promise<string> => {
    const place = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--daemonize', 'yes', '--dir', '/tmp', '--save', '']
    return exec('redis-server', ...own, ...files, ...place, ...user, '--pidfile', `/tmp/${port}.pid`)
  }
  const byTls = (port: number, clients: 'yes' | 'no'): readonly string[] => [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', clients],
  ]
  const cli = (port: number, ...args: readonly string[]): Promise<string> =>
    exec(
      'redis-cli',
      '--tls',
      '--cacert',
      '/certs/ca.pem',
      '--user',
      username,
      '--pass',
      password,
      '--no-auth-warning',
      '-p',
      String(port),
      ...args,
    )
  await start(ports.plain, '--port', String(ports.plain))
  await start(ports.login, ...byTls(ports.login, 'no'))
  await start(ports.certificate, ...byTls(ports.certificate, 'yes'))
  for (const port of ports.cluster) {
    const config = ['--cluster-enabled', 'yes', '--cluster-config-file', `/tmp/${port}.conf`, '--tls-cluster', 'yes']
    await start(port, ...byTls(port, 'no'), ...config, '--tls-replication', 'yes')
    await until(async () => (await cli(port, 'ping').catch(() => '')).includes('PONG'), 10_000)
  }
  await cli(
    ports.cluster[0],
    '--cluster',
    'create',
    ...ports.cluster.map((port) => `127.0.0.1:${port}`),
    '--cluster-yes',
  )
  for (const port of ports.cluster) {
    await until(async () => (await cli(port, 'cluster', 'info')).includes('cluster_state:ok'), 20_000)
    // From here on for clients outside of the container; the servers talk to each other by the ports of their bus.
    await cli(port, 'config', 'set', 'cluster-announce-tls-port', String(container.getMappedPort(port)))
  }
  const address = (scheme: string, port: number): string =>
    `${scheme}://${container.getHost()}:${container.getMappedPort(port)}`
  await until(async () => {
    const slots = await cli(ports.cluster[0], 'cluster', 'slots')
    return ports.cluster.every((port) => slots.includes(String(container.getMappedPort(port))))
  }, 20_000)
  return {
    plain: address('redis', ports.plain),
    login: address('rediss', ports.login),
    certificate: address('rediss', ports.certificate),
    cluster: ports.cluster.map((port) => address('rediss', port)),
    username,
    password,
  }
}
