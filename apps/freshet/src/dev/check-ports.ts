import { createServer, type Server } from 'node:net'
import { listenError } from '@freshet/service/errors'

/** Where a server will listen. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Rejects with PORT_IN_USE or LISTEN_FAILED if one of the places cannot be listened at, or two of them are the same. Port 0 always can. */
export async function checkPorts(places: readonly Place[]): Promise<void> {
  // All stay open until the last is tried: two settings may name the same port.
  const servers: Server[] = []
  try {
    for (const { host, port } of places) {
      if (port === 0) continue
      const server = createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(listenError(error, host, port)))
        server.listen({ host, port, exclusive: true }, resolve)
      })
      servers.push(server)
    }
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
