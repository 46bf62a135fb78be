import { openAccess } from '@freshet/access/access'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { createBlenderClient, type RemoteBlender } from '@freshet/adapters/grpc/blender-client'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import type { Blender } from '@freshet/contracts/ports/calls'
import type { RateLimits } from '@freshet/service/rate-limits'
import { createMetrics } from '@freshet/service/metrics'
import { httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { createHttpApp } from './server.ts'

/** How a test serves a blender; what it adds to `closing` the test calls at its end. */
interface Serving {
  readonly closing: (() => unknown)[]
  readonly onDefect?: (error: unknown) => void
  readonly rates?: RateLimits
}

/** The HTTP server of a blender, which does not listen. */
export function httpAppOf(blender: Blender, { closing, onDefect = () => {}, rates }: Serving) {
  const app = createHttpApp({
    access: openAccess,
    blender,
    ...(rates && { rates }),
    timeoutMs: 500,
    maxTimeoutMs: 60_000,
    maxBodyBytes: 65_536,
    limits: z.object(httpSettings(0)).parse({}),
    origins: [],
    metrics: createMetrics(),
    nowMs: () => performance.now(),
    onDefect,
  })
  closing.push(() => app.close())
  return app
}

/** A client of a blender that answers over gRPC at `port`. */
export async function grpcClientOf(
  blender: Blender,
  { closing, onDefect = () => {} }: Serving,
): Promise<{ readonly client: RemoteBlender; readonly port: number }> {
  const server = new Server()
  const { definition, implementation } = serveBlender(blender, { onDefect, defaultTimeoutMs: 500 })
  server.addService(definition, implementation)
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound))
  })
  const client = createBlenderClient({ address: `127.0.0.1:${port}` })
  closing.push(
    () => client.close(),
    () => server.forceShutdown(),
  )
  return { client, port }
}
