import { createServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A TCP relay on this machine whose far end can be changed: what a failover of a virtual address looks like to a client. */
export interface TcpProxy {
  readonly port: number
  /** Sends new connections there, and cuts those that are open. */
  retarget(target: { readonly host: string; readonly port: number }): void
  /** Sends new connections there; those that are open stay where they are. */
  retargetNew(target: { readonly host: string; readonly port: number }): void
  /** From now on nothing passes and nobody hangs up, on new connections neither: what a peer that lost its power looks like. */
  freeze(): void
  /** New connections pass again; those that were open stay silent. */
  thaw(): void
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. */
export async function openTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  let to = target
  let frozen = false
  const open = new Set<Socket>()
  const server = createServer((near) => {
    if (frozen) {
      open.add(near)
      near.on('error', () => near.destroy())
      near.on('close', () => open.delete(near))
      return
    }
    const far = connect(to)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.setNoDelay(true)
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    retarget(next) {
      to = next
      cut()
    },
    retargetNew(next) {
      to = next
    },
    freeze() {
      frozen = true
      for (const socket of open) {
        socket.unpipe()
        socket.pause()
      }
    },
    thaw() {
      frozen = false
    },
    async close() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
