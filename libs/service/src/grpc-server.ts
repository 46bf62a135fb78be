import { setTimeout as sleep } from 'node:timers/promises'
import {
  Server,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type Metadata,
  type ServerInterceptor,
  type ServiceDefinition,
  type StatusObject,
} from '@grpc/grpc-js'
import type { Access } from '@freshet/access/access'
import { HealthImplementation } from 'grpc-health-check'
import { listenError } from './errors.ts'
import { createGrpcAccess } from './grpc-access.ts'
import { limitGrpcConnections } from './grpc-connections.ts'
import { serverCredentials } from './grpc-credentials.ts'
import { createReflection } from './grpc-reflection.ts'
import type { GrpcService } from './grpc-service.ts'
import type { Metrics } from './metrics.ts'
import type { Component, Health } from './service.ts'
import type { GrpcConfig } from './settings.ts'
import type { TlsServer } from './tls.ts'

const healthName = 'grpc.health.v1.Health'

/** Options of a gRPC server. */
export interface GrpcServerOptions extends GrpcConfig {
  readonly services: readonly GrpcService[]
  /** Who may make calls. Every method needs a rule. */
  readonly access: Access
  /** Descriptors for reflection: a `google.protobuf.FileDescriptorSet` with the services, health and reflection; null: no reflection, even if `reflection` is true. */
  readonly descriptors: Uint8Array | null
  /** Counts and times every call. */
  readonly metrics: Metrics
  /** Absent or null: the server speaks no TLS. */
  readonly tls?: TlsServer | null
  /** How long open calls may take when the server drains; absent: `maxConnectionGraceMs`. */
  readonly drainMs?: number
}

/** A running gRPC server with `grpc.health.v1` and, if enabled, reflection. It starts as NOT_SERVING. */
export interface GrpcServer {
  readonly port: number
  /** Sets the answer of `grpc.health.v1` for the whole server and for each service. */
  setServing(serving: boolean): void
  /** Reports NOT_SERVING, asks clients to disconnect, and gives calls `drainMs` to end. Resolves when all calls have ended. */
  drain(): Promise<void>
  /** Ends all remaining calls and connections. */
  close(): Promise<void>
}

/** Starts a gRPC server. Throws PORT_IN_USE, LISTEN_FAILED or ACCESS_OPEN_REFUSED, and an Error if a method has no access rule. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  options.access.checkListening(options.host)
  const refused = options.metrics.counter('freshet_access_refused_total')
  const { interceptor: admitting, services } = createGrpcAccess(options.services, {
    access: options.access,
    onRefused: (code) => {
      refused.inc({ server: 'grpc', code })
      options.access.refused('grpc', code)
    },
  })
  const underWay = countCalls()
  const server = new Server({
    'grpc.max_connection_age_ms': options.maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': options.maxConnectionGraceMs,
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': options.flowControlWindowBytes,
    // Without this option, Linux lets two servers share a port, and each gets part of the traffic.
    'grpc.so_reuseport': 0,
    'grpc.max_concurrent_streams': options.maxCallsPerConnection,
    interceptors: [
      measured(options.metrics),
      boundedMetadata(options.maxMetadataBytes),
      underWay.interceptor,
      admitting,
    ],
  })
  const names = services.map(({ definition }) => serviceName(definition))
  const health = new HealthImplementation(Object.fromEntries(['', ...names].map((name) => [name, 'NOT_SERVING'])))
  health.addToServer(server)
  for (const { definition, implementation } of services) server.addService(definition, implementation)
  if (options.reflection && options.descriptors !== null) {
    for (const { definition, implementation } of createReflection(options.descriptors, [...names, healthName]))
      server.addService(definition, implementation)
  }

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${bracketed(options.host)}:${options.port}`,
      serverCredentials(options.tls ?? null),
      (error, bound) => {
        if (error === null) resolve(bound)
        else reject(listenError(error, options.host, options.port))
      },
    )
  })

  const refusedConnections = options.metrics.counter('freshet_grpc_connections_refused_total')
  limitGrpcConnections(server, options, (limit) => {
    refusedConnections.inc({ limit })
  })
  const setServing = (serving: boolean): void => {
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING')
  }
  return {
    port,
    setServing,
    async drain() {
      setServing(false)
      const drainMs = options.drainMs ?? options.maxConnectionGraceMs
      // `tryShutdown` alone would wait for ever for an open stream. `drain` ends streams after the given time.
      server.drain(`${bracketed(options.host)}:${port}`, drainMs)
      await new Promise<void>((resolve) => {
        server.tryShutdown(() => {
          resolve()
        })
        // `tryShutdown` waits for connections too. Clients that ignore the request to disconnect would delay the stop.
        void underWay.quiet(goAwayMs, drainMs + goAwayMs).then(resolve)
      })
      server.forceShutdown()
    },
    async close() {
      server.forceShutdown()
    },
  }
}

const followEveryMs = 200
/** How long clients may take to disconnect after they have their answers. */
const goAwayMs = 500
const lookEveryMs = 50

/** Counts open calls, except those of health and reflection. */
function countCalls(): {
  readonly interceptor: ServerInterceptor
  /** Resolves when there has been no call for `quietMs`, or after `mostMs`. */
  quiet(quietMs: number, mostMs: number): Promise<void>
} {
  let count = 0
  return {
    interceptor(method, call) {
      if (method.path.startsWith('/grpc.')) return new ServerInterceptingCall(call)
      count++
      let over = false
      const end = (): void => {
        if (!over) count--
        over = true
      }
      return new ServerInterceptingCall(call, {
        start(next) {
          next(new ServerListenerBuilder().withOnCancel(end).build())
        },
        sendStatus(result, next) {
          next(result)
          end()
        },
      })
    },
    async quiet(quietMs, mostMs) {
      let quietForMs = 0
      for (let waitedMs = 0; waitedMs < mostMs && quietForMs < quietMs; waitedMs += lookEveryMs) {
        quietForMs = count === 0 ? quietForMs + lookEveryMs : 0
        await sleep(lookEveryMs, undefined, { ref: false })
      }
    },
  }
}

/** A gRPC server as a part of a service. Its health follows the service's readiness. */
export function grpcComponent(server: GrpcServer, readiness: () => Health): Component {
  let shown = false
  const following = setInterval(() => {
    const { ok } = readiness()
    if (ok === shown) return
    shown = ok
    server.setServing(ok)
  }, followEveryMs)
  following.unref()
  return {
    name: 'grpc',
    drain() {
      clearInterval(following)
      return server.drain()
    },
    close: () => server.close(),
  }
}

/**
 * Counts and times every call by the status that the caller gets. grpc-js answers some faults of callers by itself, past all
 * interceptors and with a status that blames the server; here they get the one that blames the caller.
 */
function measured(metrics: Metrics): ServerInterceptor {
  const calls = metrics.counter('freshet_grpc_calls_total')
  const seconds = metrics.histogram('freshet_grpc_call_seconds')
  return (method, call) => {
    const ended = method.responseStream ? null : seconds.startTimer({ method: method.path })
    const send = call.sendStatus.bind(call)
    call.sendStatus = (result) => {
      const told = isFaultOfCaller(result) ? { ...result, code: status.INVALID_ARGUMENT } : result
      ended?.()
      calls.inc({ method: method.path, status: status[told.code] ?? 'UNKNOWN' })
      send(told)
    }
    return new ServerInterceptingCall(call)
  }
}

/** What grpc-js says of a message that it cannot unpack or decode, and of a time limit that it cannot read. */
const faultsOfCallers = ['Failed to decompress message', 'Error deserializing request', 'Invalid grpc-timeout value']

function isFaultOfCaller({ code, details = '' }: Partial<Pick<StatusObject, 'code' | 'details'>>): boolean {
  return code === status.INTERNAL && faultsOfCallers.some((text) => details.startsWith(text))
}

/** Refuses calls whose metadata is larger than `maxBytes`, counted as HTTP/2 counts it: 32 bytes for each entry besides name and value. */
function boundedMetadata(maxBytes: number): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder()
          .withOnReceiveMetadata((metadata, passOn) => {
            const bytes = metadataBytes(metadata)
            if (bytes <= maxBytes) return passOn(metadata)
            const details = `the metadata has ${bytes} bytes; send at most ${maxBytes}`
            call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details })
          })
          .build()
        next(listener)
      },
    })
}

function metadataBytes(metadata: Metadata): number {
  let bytes = 0
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) bytes += name.length + value.length + 32
  }
  return bytes
}

function serviceName(definition: ServiceDefinition): string {
  const method = Object.values(definition)[0]
  return method?.path.split('/')[1] ?? ''
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
