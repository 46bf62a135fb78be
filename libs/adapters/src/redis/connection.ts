import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { TlsOptions } from '../shared/tls/files.ts'
import { speaksTls, tlsProblem } from '../shared/tls/problem.ts'
import { diagnosis } from './diagnosis.ts'
import type { RedisScript } from './state-scripts.ts'
import { Cluster, Command, Redis } from 'ioredis'
import type { ClusterOptions, DNSLookupFunction, NatMap, RedisOptions } from 'ioredis'
import { SurvivingConnector } from './surviving-connector.ts'

/** The address of Redis and the time limits of calls. */
export interface RedisConnectionOptions {
  /** One server: `redis://user:password@host:port/db`, `rediss://` for TLS. */
  readonly url?: string
  /** Or some nodes of a Cluster, each as such an address; the client finds the others. User, password and TLS come from the first one. */
  readonly clusterNodes?: readonly string[]
  /** Used if the address has none. */
  readonly username?: string
  readonly password?: string
  /** For `rediss://`: further options of `tls.connect`. */
  readonly tls?: TlsOptions
  /** Maps addresses that the Cluster announces (`host:port`) to reachable ones. */
  readonly natMap?: NatMap
  /** The longest that a call waits, milliseconds. Default 1,000. */
  readonly commandTimeoutMs?: number
  /** The longest pause between attempts to connect, milliseconds. Default 500. */
  readonly maxReconnectDelayMs?: number
}

/** Commands to Redis that end within a bound: with an answer, or with STORE_UNAVAILABLE, STORE_CLOSED or the signal's reason. */
export interface RedisConnection {
  command(name: string, args: readonly RedisArgument[], signal?: AbortSignal): Promise<unknown>
  /** Runs a script, and loads it if the server does not have it. */
  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    signal?: AbortSignal,
  ): Promise<unknown>
  /** Values in the order of the keys, all of one slot. Concurrent calls share a round trip. */
  values(keys: readonly string[], signal?: AbortSignal): Promise<readonly (Buffer | null)[]>
  /** Runs a command on every master. */
  onMasters(name: string, args: readonly RedisArgument[]): Promise<readonly unknown[]>
  /** Pages of keys that match a pattern, of all servers; a key may appear twice. */
  scanKeys(pattern: string, signal?: AbortSignal): AsyncIterable<readonly Buffer[]>
  /** Why no server was reached since the start; null: one was reached, but it may not answer now. */
  unreached(): ContractError | null
  /** Called after every new connection to a server. */
  onConnected(listener: () => void): void
  /** Waits for pending calls, then disconnects. */
  close(): Promise<void>
}

export type RedisArgument = string | Buffer | number

/** From here on reads wait one turn of the event loop to share a pipeline (measured: pays from 16 on). */
const PIPELINE_FROM = 16
const SCAN_COUNT = 1000

/** Connects in the background: the first calls wait for the connection, later ones fail immediately while there is none. */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { commandTimeoutMs = 1000, maxReconnectDelayMs = 500 } = options
  const client = connect(options, commandTimeoutMs, maxReconnectDelayMs)
  const where = options.url === undefined ? `Redis Cluster ${hosts(options)}` : `Redis ${hosts(options)}`
  const unreached = watchUnreached(client, options, commandTimeoutMs)
  const firstAttempt = attempted(client).then(unreached.asked)
  const underWay = new Set<Promise<unknown>>()
  let lastError: Error | null = null
  let reads = 0
  let attemptOver = false
  let closed: Promise<void> | null = null
  void firstAttempt.then(() => (attemptOver = true))
  client.on('error', (error: Error) => (lastError = error))

  const unavailable = (cause: unknown): ContractError => {
    const reason = messageOf(cause)
    for (const error of [cause, lastError]) {
      const named = namedFailure(where, error)
      if (named !== null) return named
    }
    const problem = unreached.problem()
    if (problem !== null) return new ContractError('STORE_TLS_FAILED', `${where}: ${problem}`, { cause })
    const connection = lastError === null || reason === lastError.message ? '' : ` (${lastError.message})`
    return new ContractError('STORE_UNAVAILABLE', `${where}: ${reason}${connection}`, { cause })
  }

  const bounded = <T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    if (closed !== null)
      return Promise.reject(new ContractError('STORE_CLOSED', `the connection to ${where} was closed`))
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    const call = new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        end()
        reject(unavailable(new Error(`no answer within ${commandTimeoutMs} ms`)))
      }, commandTimeoutMs)
      const onAbort = () => {
        end()
        reject(signal?.reason as Error)
      }
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const start = attemptOver ? work() : firstAttempt.then(work)
      start.then(
        (value) => {
          end()
          resolve(value)
        },
        (error: unknown) => {
          end()
          reject(isContractError(error) ? error : unavailable(error))
        },
      )
    })
    underWay.add(call)
    const forget = () => underWay.delete(call)
    call.then(forget, forget)
    return call
  }

  const send = (name: string, args: readonly RedisArgument[], to: Redis | Cluster = client): Promise<unknown> => {
    const command = new Command(name, args as RedisArgument[], { replyEncoding: null })
    return to.sendCommand(command) as Promise<unknown>
  }

  const run = async (script: RedisScript, rest: readonly RedisArgument[]): Promise<unknown> => {
    const by = script.readOnly ? '_ro' : ''
    try {
      return await send(`evalsha${by}`, [script.sha, ...rest])
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error
      return send(`eval${by}`, [script.lua, ...rest])
    }
  }

  const readTogether = async (keys: readonly string[]): Promise<readonly (Buffer | null)[]> => {
    reads++
    try {
      if (reads < PIPELINE_FROM) return (await send('mget', keys)) as (Buffer | null)[]
      return await client.mgetBuffer(keys as string[])
    } finally {
      reads--
    }
  }

  const masters = (): readonly Redis[] => (client instanceof Cluster ? client.nodes('master') : [client])

  return {
    onConnected(listener) {
      client.on('ready', listener)
      // In a Cluster: a server that replaces another after a failover.
      client.on('+node', listener)
    },
    command: (name, args, signal) => bounded(() => send(name, args), signal),
    script: (script, keys, args, signal) => bounded(() => run(script, [keys.length, ...keys, ...args]), signal),
    values: (keys, signal) => bounded(() => readTogether(keys), signal),
    onMasters: (name, args) =>
      bounded(async () => {
        const nodes = masters()
        if (nodes.length === 0) throw new Error('no master is known')
        return await Promise.all(nodes.map((node) => send(name, args, node)))
      }, undefined),
    async *scanKeys(pattern, signal) {
      await bounded(() => Promise.resolve(), signal)
      for (const node of masters()) {
        let cursor = '0'
        do {
          const page = bounded(() => send('scan', [cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT], node), signal)
          const [next, keys] = (await page) as [Buffer, Buffer[]]
          cursor = next.toString()
          if (keys.length > 0) yield keys
        } while (cursor !== '0')
      }
    },
    unreached: () => (unreached.reached() ? null : unavailable(new Error('no connection yet'))),
    close() {
      closed ??= (async () => {
        await Promise.allSettled(underWay)
        client.disconnect()
      })()
      return closed
    },
  }
}

function connect(options: RedisConnectionOptions, commandTimeout: number, maxDelayMs: number): Redis | Cluster {
  const retry = (times: number): number => Math.min(maxDelayMs, 25 * 2 ** Math.min(times, 10))
  const common = {
    Connector: SurvivingConnector,
    commandTimeout,
    connectTimeout: Math.max(commandTimeout, 1000),
    // Drop a connection that is silent while it owes answers: the peer may have vanished.
    socketTimeout: 3 * commandTimeout,
    // Do not resend commands of a broken connection: an append would be applied twice.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A demoted master: the next connection may reach the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
  } satisfies RedisOptions
  const { url, clusterNodes, tls = {} } = options
  if (url !== undefined) {
    const secure = url.startsWith('rediss:') ? { tls } : {}
    const queues = { enableOfflineQueue: false, enableAutoPipelining: true }
    return new Redis(url, { ...common, ...secure, ...queues, retryStrategy: retry })
  }
  const nodes = (clusterNodes ?? []).map((node) => new URL(node))
  const first = nodes[0]
  if (first === undefined) throw new Error('neither `url` nor `clusterNodes` says where Redis is')
  const cluster = {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: retry,
    clusterNodeRetryStrategy: retry,
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 100,
    // Gives the slot map, which the client reloads after MOVED, time to arrive.
    retryDelayOnMoved: 20,
    maxRedirections: 16,
    slotsRefreshTimeout: commandTimeout,
    slotsRefreshInterval: 2000,
    redisOptions: {
      ...common,
      ...(first.username === '' ? {} : { username: decodeURIComponent(first.username) }),
      ...(first.password === '' ? {} : { password: decodeURIComponent(first.password) }),
      ...(first.protocol === 'rediss:' ? { tls } : {}),
    },
    ...(options.natMap === undefined ? {} : { natMap: options.natMap }),
    // With TLS the certificate is for the name, so do not resolve names here.
    ...(first.protocol === 'rediss:' ? { dnsLookup: keepName } : {}),
  } satisfies ClusterOptions
  return new Cluster(
    nodes.map((node) => ({ host: node.hostname, port: Number(node.port || 6379) })),
    cluster,
  )
}

/** Probes why a server that was never reached hangs up or does not answer. */
function watchUnreached(client: Redis | Cluster, options: RedisConnectionOptions, timeoutMs: number) {
  const [first = ''] = options.url === undefined ? (options.clusterNodes ?? []) : [options.url]
  let problem: string | null = null
  let reached = false
  let asking: Promise<void> | null = null
  const ask = (): void => {
    if (reached) return
    asking ??= diagnosis(new URL(first), options.tls ?? {}, timeoutMs).then((found) => {
      problem = found
      asking = null
    })
  }
  const silent = setTimeout(ask, timeoutMs / 2)
  client.once('ready', () => {
    reached = true
    problem = null
    clearTimeout(silent)
  })
  client.on('close', ask)
  client.once('end', () => clearTimeout(silent))
  return {
    asked: async () => {
      if (!reached) await asking
    },
    problem: () => problem,
    reached: () => reached,
  }
}

const keepName: DNSLookupFunction = (name, done) => done(null, name)

/** Resolves when the first attempt to connect has succeeded or failed; in a Cluster: to each master. */
async function attempted(client: Redis | Cluster): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const event of ['ready', 'close', 'end']) client.once(event, () => resolve())
  })
  if (client instanceof Cluster) await Promise.allSettled(client.nodes('master').map((node) => node.ping()))
}

function hosts(options: RedisConnectionOptions): string {
  const addresses = options.url === undefined ? (options.clusterNodes ?? []) : [options.url]
  return addresses.map((address) => new URL(address).host).join(', ')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Maps failures to connect that a setting can fix; null: another failure. */
function namedFailure(where: string, error: unknown): ContractError | null {
  if (!(error instanceof Error)) return null
  // A Cluster's error holds what its node said.
  const { lastNodeError } = error as { readonly lastNodeError?: unknown }
  if (lastNodeError !== undefined) return namedFailure(where, lastNodeError)
  const { message } = error
  const refused = (code: 'STORE_TLS_FAILED' | 'STORE_LOGIN_REFUSED', text: string) =>
    new ContractError(code, `${where}: ${text}`, { cause: error })
  if (message.startsWith('NOPERM'))
    return refused('STORE_LOGIN_REFUSED', `${message}: see redis.username, and \`freshet redis acls\` for its rights`)
  if (/WRONGPASS|NOAUTH|invalid password|called without any password/i.test(message))
    return refused('STORE_LOGIN_REFUSED', `${message}: see redis.username and redis.password`)
  if (message.includes('got "\\u0015"')) return refused('STORE_TLS_FAILED', speaksTls('write rediss:// in the address'))
  const problem = tlsProblem(error, 'redis.tls')
  return problem === null ? null : refused('STORE_TLS_FAILED', problem)
}
