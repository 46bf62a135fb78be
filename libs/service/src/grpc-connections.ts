import type { Server as GrpcServer } from '@grpc/grpc-js'
import type { Server, Socket } from 'node:net'

/** How many connections a gRPC server takes. */
export interface GrpcConnectionLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
}

/** Which limit a connection exceeded. */
export type ConnectionLimit = 'limit' | 'address-limit'

/**
 * Bounds the connections of a gRPC server that listens, in total and per address, and closes new ones beyond. Older ones end by
 * `maxConnectionAgeMs`, so nobody holds a place for long. grpc-js has no such limit; its servers of HTTP/2 are a private field.
 */
export function limitGrpcConnections(
  server: GrpcServer,
  { maxConnections, maxConnectionsPerAddress }: GrpcConnectionLimits,
  onRefused: (limit: ConnectionLimit) => void,
): void {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Server, unknown> }
  if (http2Servers === undefined || http2Servers.size === 0)
    throw new Error('grpc-js keeps its HTTP/2 servers elsewhere now; mend grpc-connections.ts')
  const perAddress = new Map<string, number>()
  let open = 0
  const count = (address: string, change: 1 | -1): void => {
    open += change
    const left = (perAddress.get(address) ?? 0) + change
    if (left === 0) perAddress.delete(address)
    else perAddress.set(address, left)
  }
  for (const listening of http2Servers.keys())
    listening.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? ''
      const isFull = (perAddress.get(address) ?? 0) >= maxConnectionsPerAddress
      if (isFull || open >= maxConnections) {
        onRefused(isFull ? 'address-limit' : 'limit')
        socket.destroy()
        return
      }
      count(address, 1)
      socket.once('close', () => {
        count(address, -1)
      })
    })
}
