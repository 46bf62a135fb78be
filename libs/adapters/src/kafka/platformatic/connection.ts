import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, Connection, GenericError, NetworkError, UserError } from '@platformatic/kafka'
import type { ConnectionOptions } from '@platformatic/kafka'
import type { ConnectionSettings } from '../wire/broker.ts'
import { HungUp, LoginRefused, TlsAlert } from '../wire/failures.ts'

/** A connection to one broker. It connects on demand and reconnects after a loss. */
export interface Link {
  /** Runs work on the connection. Without an answer within `timeoutMs` it rejects and cuts the connection. */
  use<T>(work: (connection: Connection) => Promise<T>, timeoutMs: number): Promise<T>
  /** Cuts the connection immediately; pending requests reject. */
  cut(reason: Error): void
}

interface Open {
  readonly connection: Connection
  readonly ready: Promise<void>
  /** Why the connection failed, if that is known before its requests fail. */
  reason: Error | null
  /** Rejects when the connection is cut, so that no request waits for the library's own timers. */
  readonly lost: Promise<never>
  readonly giveUp: (reason: Error) => void
}

/** More requests than we ever send concurrently on one connection, so that the library never queues them. */
const maxInflights = 1_000
/** The library's timeout, longer than ours, which must fire first. */
const libraryTimeoutMs = 600_000

const mechanisms = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

/** A link to a broker at an address; connects when first used. */
export function createLink(host: string, port: number, settings: ConnectionSettings): Link {
  let open: Open | null = null

  function start(): Open {
    const connection = new Connection(settings.clientId, connectionOptions(settings, host))
    const { promise: lost, reject } = Promise.withResolvers<never>()
    lost.catch(() => undefined)
    const started: Open = {
      connection,
      reason: null,
      lost,
      ready: Promise.resolve(connection.connect(host, port)).then(() => guard(started)),
      giveUp(reason) {
        started.reason ??= reason
        if (open === started) open = null
        reject(reason)
        connection.socket?.destroy()
      },
    }
    started.ready.catch(() => undefined)
    connection.on('error', (error: Error) => {
      started.reason ??= error
      if (open === started) open = null
    })
    connection.on('close', () => {
      if (open === started) open = null
    })
    return started
  }

  return {
    async use(work, timeoutMs) {
      const used = (open ??= start())
      const over = new AbortController()
      const late = sleep(timeoutMs, undefined, { signal: over.signal }).then(() => {
        const reason = new Error(`no answer from ${host}:${port} within ${timeoutMs} ms`)
        used.giveUp(reason)
        throw reason
      })
      late.catch(() => undefined)
      const working = used.ready.then(() => work(used.connection))
      working.catch(() => undefined)
      try {
        return await Promise.race([working, used.lost, late])
      } catch (error) {
        throw translated(error, used.reason)
      } finally {
        over.abort()
      }
    },
    cut(reason) {
      open?.giveUp(reason)
    },
  }
}

function connectionOptions({ ssl, sasl, connectionTimeoutMs }: ConnectionSettings, host: string): ConnectionOptions {
  const login = sasl?.()
  return {
    connectTimeout: connectionTimeoutMs,
    requestTimeout: libraryTimeoutMs,
    maxInflights,
    ...(ssl === undefined ? {} : { tls: namedServer(ssl(), host) }),
    ...(login === undefined ? {} : { sasl: { ...login, mechanism: mechanisms[login.mechanism] } }),
  }
}

/** Names the host to a server with certificates for several, unless the settings name another; an address is not a name. */
function namedServer(tls: object, host: string): object {
  return 'servername' in tls || isIP(host) !== 0 ? tls : { ...tls, servername: host }
}

/** Bytes that are not an answer make the library throw in the socket's event, which would end the process. */
function guard({ connection: { socket }, giveUp }: Open): void {
  for (const listener of socket.listeners('data') as ((bytes: Buffer) => void)[]) {
    socket.removeListener('data', listener)
    socket.on('data', (bytes: Buffer) => {
      try {
        listener(bytes)
      } catch (error) {
        giveUp(new Error('the broker sent bytes that are not an answer', { cause: error }))
      }
    })
  }
}

/** Maps a failure to the errors that all clients throw. `reason`: why the connection failed. */
function translated(error: unknown, reason: Error | null): unknown {
  for (const one of [error, reason]) {
    for (let cause = one; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof AuthenticationError) return new LoginRefused(cause.message, !isUnknownMechanism(cause))
      if (cause instanceof UserError && cause.message === 'Broker requires TLS.') return new TlsAlert()
    }
  }
  if (!(error instanceof NetworkError)) return error
  const deepest = causeOf(reason ?? error)
  return deepest instanceof NetworkError ? new HungUp(error) : deepest
}

function isUnknownMechanism(error: Error): boolean {
  return error.message.startsWith('Cannot find a suitable SASL mechanism')
}

/** The cause of a library error: the socket's error, if there is one. */
function causeOf(error: Error): Error {
  return error instanceof GenericError && error.cause instanceof Error ? causeOf(error.cause) : error
}
