import type { Access } from '@freshet/access/access'
import type { Clock } from '@freshet/domain/clock'
import { listen } from '@freshet/service/http-app'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'
import type { HttpConfig } from '@freshet/service/settings'
import type { TlsServer } from '@freshet/service/tls'
import type { Config } from './config.ts'
import type { Connectors } from './connectors/connectors.ts'
import { createHttpApp } from './http.ts'
import type { Ingest } from './ingest.ts'

/** Dependencies and settings of the HTTP servers. */
export interface ListenOptions {
  readonly ingest: Ingest
  readonly connectors: Connectors
  readonly access: Access
  readonly clock: Clock
  readonly config: Pick<Config, 'ingest' | 'cors' | 'admin'> & { readonly http: HttpConfig }
  readonly metrics: Metrics
  readonly report: Report
  /** How the servers speak TLS; null: they do not. */
  readonly tls: TlsServer | null
  readonly use: (component: Component) => void
}

/**
 * Listens for HTTP. A process with keys opens a second port for admin calls, and its public port refuses them. Throws
 * PORT_IN_USE, LISTEN_FAILED or ACCESS_OPEN_REFUSED.
 */
export async function listenHttp({
  config,
  use,
  ...options
}: ListenOptions): Promise<{ readonly httpPort: number; readonly adminPort?: number }> {
  const { access } = options
  const { http: limits, cors, admin } = config
  const open = async (name: string, { host, port }: Config['admin'], adminCallsAt?: string): Promise<number> => {
    const served = { ...options, config: config.ingest, limits, origins: cors.origins }
    const app = createHttpApp({ ...served, ...(adminCallsAt !== undefined && { adminCallsAt }) })
    const bound = await listen(app, host, port)
    use({ name, drain: () => app.close() })
    return bound
  }
  if (access.open) return { httpPort: await open('http', config.http) }
  const adminPort = await open('admin http', admin)
  return { httpPort: await open('http', config.http, `admin port ${adminPort}`), adminPort }
}
