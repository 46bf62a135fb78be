import type { Access } from '@freshet/access/access'
import { version } from '@freshet/domain/version'
import { listen } from '@freshet/service/http-app'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'
import type { Tls } from '@freshet/service/tls'
import type { FastifyInstance } from 'fastify'
import { createConsoleApp } from './app.ts'
import type { Demo } from './demo.ts'
import type { Page } from './page/routes.ts'
import { createAskUpstream } from './proxy/ask.ts'
import { createForward } from './proxy/forward.ts'
import { openConnections, type Certificates, type Connections, type Upstreams } from './proxy/upstreams.ts'
import type { ConsoleConfig } from './settings.ts'

/** What the console of a process needs. */
export interface ListenConsole {
  readonly config: ConsoleConfig
  readonly access: Access
  readonly upstreams: Upstreams
  /** For calls to upstreams by TLS; null: those of the system. */
  readonly certificates: Certificates | null
  readonly demo: Demo | null
  /** Adds further routes, whose calls to other processes take these connections. */
  readonly more: readonly ((app: FastifyInstance, connections: Connections) => void)[]
  readonly page: Promise<Page>
  /** Calls wait for it. Absent: the services run already. */
  readonly started?: Promise<void>
  readonly metrics: Metrics
  readonly report: Report
  readonly tls: Tls
  readonly nowMs: () => number
  readonly use: (component: Component) => void
}

/** Serves the console. Returns its port. Throws PORT_IN_USE, LISTEN_FAILED or ACCESS_OPEN_REFUSED. */
export async function listenConsole({
  config,
  certificates,
  more,
  page,
  report,
  tls,
  use,
  ...rest
}: ListenConsole): Promise<number> {
  const connections = openConnections(certificates)
  use({ name: 'console connections', close: async () => connections.close() })
  const app = createConsoleApp({
    ...rest,
    config,
    version,
    more: more.map((add) => (scope: FastifyInstance) => add(scope, connections)),
    page: () => page,
    forward: createForward(connections, config),
    ask: createAskUpstream(connections, config.timeoutMs),
    onDefect: (error) => report(error, { part: 'console', outcome: 'defect' }),
    tls: tls.server('http'),
  })
  const port = await listen(app, config.host, config.port)
  use({ name: 'console', drain: () => app.close() })
  return port
}
