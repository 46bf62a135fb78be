import fastify from 'fastify'
import { listenError } from './errors.ts'
import type { Metrics } from './metrics.ts'
import type { Health } from './service.ts'

/** What the operations server shows. */
export interface OperationsOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly name: string
  readonly version: string
  readonly liveness: () => Health
  readonly readiness: () => Health
  readonly metrics: Metrics
  /** The configuration without secrets, as `redactConfig` gives it. */
  readonly config: Readonly<Record<string, unknown>>
}

/** A running operations server. */
export interface OperationsServer {
  readonly port: number
  close(): Promise<void>
}

/** The operations server before it listens: `/livez`, `/readyz` (200 or 503 with the reasons), `/metrics`, `/configz`. */
export function createOperationsApp(options: Omit<OperationsOptions, 'host' | 'port'>) {
  const app = fastify({ logger: false, forceCloseConnections: true })
  const health = (ask: () => Health) => async () => {
    const { state, ok, reasons } = ask()
    return { statusCode: ok ? 200 : 503, body: { name: options.name, version: options.version, state, ok, reasons } }
  }
  for (const [path, ask] of [
    ['/livez', health(options.liveness)],
    ['/readyz', health(options.readiness)],
  ] as const) {
    app.get(path, async (_request, reply) => {
      const { statusCode, body } = await ask()
      return reply.code(statusCode).send(body)
    })
  }
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metrics.contentType).send(await options.metrics.text()),
  )
  app.get('/configz', async () => options.config)
  return app
}

/** Listens on a port of its own, apart from traffic. Throws PORT_IN_USE or LISTEN_FAILED. */
export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const app = createOperationsApp(options)
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (error) {
    await app.close()
    throw listenError(error, options.host, options.port)
  }
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => app.close(),
  }
}
