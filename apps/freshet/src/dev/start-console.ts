import type { ServiceContext } from '@freshet/service/lifecycle'
import type { Component } from '@freshet/service/service'
import { listenConsole, type ListenConsole } from '../console/listen.ts'
import { certificatesForItself, type Upstream } from '../console/proxy/upstreams.ts'
import type { DevConfig } from './config.ts'

/** Ports of the servers of the process; null: there is no such server. */
export interface OwnPorts {
  readonly ingestPort: number
  readonly feedPort: number
  readonly adminPort: number | null
}

/** The console of a process whose services still start. */
export interface EarlyConsole {
  readonly port: number
  /** Names the servers and lets calls through. */
  begin(ports: OwnPorts): void
}

/**
 * Serves the console of `freshet dev`, in front of the process's own servers. It listens before they do, so that a port in use is noticed before
 * any work is done, and a browser loads the page while the services start; its calls wait until `begin`.
 */
export async function startConsole(
  { config, access, tls, metrics, report, operationsPort, use }: ServiceContext<DevConfig>,
  given: Pick<ListenConsole, 'page' | 'demo' | 'more' | 'nowMs'>,
): Promise<EarlyConsole> {
  const { promise: started, resolve } = Promise.withResolvers<void>()
  const parts: Component[] = []
  let ports: OwnPorts = { ingestPort: config.ingestHttp.port, feedPort: config.feedHttp.port, adminPort: null }
  const isTls = tls.server('http') !== null
  const upstream = (name: string, isTls: boolean, place: () => readonly [host: string, port: number]): Upstream => ({
    name,
    get url() {
      const [host, port] = place()
      return `${isTls ? 'https' : 'http'}://${reachable(host)}:${port}`
    },
  })
  const events = upstream('events', isTls, () => [config.ingestHttp.host, ports.ingestPort])
  const admin = upstream('admin', isTls, () =>
    ports.adminPort === null ? [config.ingestHttp.host, ports.ingestPort] : [config.admin.host, ports.adminPort],
  )
  const operations = upstream('freshet', tls.server('operations') !== null, () => [
    config.operations.host,
    operationsPort,
  ])
  const port = await listenConsole({
    ...{ access, tls, metrics, report, started, ...given },
    use: (part) => parts.push(part),
    config: config.console,
    upstreams: {
      ...{ events, admin, feeds: upstream('feeds', isTls, () => [config.feedHttp.host, ports.feedPort]) },
      operations: new Map([[operations.name, operations]]),
    },
    certificates: certificatesForItself(tls),
  })
  return {
    port,
    begin(own) {
      ports = own
      // Parts stop in reverse order, so the console stops before the servers that it calls.
      for (const part of parts) use(part)
      resolve()
    },
  }
}

/** The address by which a process reaches its own server that listens on `host`. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
