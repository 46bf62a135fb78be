import type { ServiceContext } from '@freshet/service/lifecycle'
import { listenConsole, type ListenConsole } from '../console/listen.ts'
import { certificatesForItself, type Upstream } from '../console/proxy/upstreams.ts'
import type { DevConfig } from './config.ts'

/** Ports of the servers of the process; null: there is no such server. */
export interface OwnPorts {
  readonly ingestPort: number
  readonly feedPort: number
  readonly adminPort: number | null
}

/** Serves the console of `freshet dev`, in front of the process's own servers. Returns its port. */
export async function startConsole(
  { config, access, tls, metrics, report, operationsPort, use }: ServiceContext<DevConfig>,
  { ingestPort, feedPort, adminPort }: OwnPorts,
  given: Pick<ListenConsole, 'page' | 'demo' | 'more' | 'nowMs'>,
): Promise<number> {
  const upstream = (name: string, host: string, port: number, isTls: boolean): Upstream => ({
    name,
    url: `${isTls ? 'https' : 'http'}://${reachable(host)}:${port}`,
  })
  const isTls = tls.server('http') !== null
  const events = upstream('events', config.ingestHttp.host, ingestPort, isTls)
  const operations = upstream('freshet', config.operations.host, operationsPort, tls.server('operations') !== null)
  return listenConsole({
    ...{ access, tls, metrics, report, use, ...given },
    config: config.console,
    upstreams: {
      events,
      feeds: upstream('feeds', config.feedHttp.host, feedPort, isTls),
      admin: adminPort === null ? events : upstream('admin', config.admin.host, adminPort, isTls),
      operations: new Map([[operations.name, operations]]),
    },
    certificates: certificatesForItself(tls),
  })
}

/** The address by which a process reaches its own server that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
