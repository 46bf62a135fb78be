import type { Access } from '@freshet/access/access'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { pseudonymsOf } from '@freshet/adapters/system/pseudonyms'
import { readDescriptors } from '@freshet/contracts/descriptors'
import type { Blender } from '@freshet/contracts/ports/calls'
import { grpcComponent, startGrpcServer } from '@freshet/service/grpc-server'
import { listen } from '@freshet/service/http-app'
import type { Logger } from '@freshet/service/logging'
import { grpcSource } from '@freshet/service/grpc-source'
import type { RateLimits } from '@freshet/service/rate-limits'
import { callObserver } from '@freshet/service/call-metrics'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { Component, Health } from '@freshet/service/service'
import type { Tls } from '@freshet/service/tls'
import type { z } from 'zod'
import type { processSchema } from './config.ts'
import { admitCall } from './admit-call.ts'
import { pseudonymous } from './pseudonymous.ts'
import { createHttpApp } from './server.ts'

/** Dependencies of the servers. */
export interface ServeOptions {
  readonly blender: Blender
  readonly rates: RateLimits
  readonly config: Pick<z.output<typeof processSchema>, 'grpc' | 'http' | 'cors' | 'blender' | 'pseudonyms'>
  readonly access: Access
  readonly logger: Logger
  readonly metrics: Metrics
  readonly report: Report
  readonly tls: Tls
  readonly readiness: () => Health
  readonly use: (component: Component) => void
}

/** Listens for gRPC and HTTP. Throws PORT_IN_USE or LISTEN_FAILED. */
export async function serve({
  blender: own,
  config,
  access,
  rates,
  logger,
  metrics,
  report,
  tls,
  readiness,
  use,
}: ServeOptions): Promise<void> {
  const blender = pseudonymous(own, pseudonymsOf(config.pseudonyms))
  const { defaultTimeoutMs: timeoutMs, maxTimeoutMs, maxBodyBytes } = config.blender
  const onDefect = (err: unknown) => {
    report(err, { part: 'server', outcome: 'defect' })
  }
  const app = createHttpApp({
    blender,
    access,
    rates,
    timeoutMs,
    maxTimeoutMs,
    maxBodyBytes,
    limits: config.http,
    origins: config.cors.origins,
    metrics,
    nowMs: () => performance.now(),
    onDefect,
    tls: tls.server('http'),
  })
  const httpPort = await listen(app, config.http.host, config.http.port)
  use({ name: 'http', drain: () => app.close() })
  const observed = { onDefect, onCall: callObserver(metrics), defaultTimeoutMs: timeoutMs }
  const services = [
    serveBlender(blender, { ...observed, admit: (call, request) => admitCall(rates, grpcSource(call), request) }),
  ]
  const server = await startGrpcServer({
    ...config.grpc,
    services,
    access,
    descriptors: readDescriptors(),
    metrics,
    tls: tls.server('grpc'),
  })
  use(grpcComponent(server, readiness))
  logger.info({ httpPort, grpcPort: server.port }, 'listening')
}
