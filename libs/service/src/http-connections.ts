import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpLimits } from './settings.ts'

/** What a connection waits for: the start of a request, the rest of a request, the answer, or the client to read the answer. */
export type ConnectionState = 'idle' | 'receiving' | 'answering' | 'sending'

/** Why the server closed a connection. */
export type CloseReason = 'limit' | 'address-limit' | 'refused' | 'receive-timeout' | 'send-timeout' | 'stop'

/** The connections of a server, limited in total and per address. */
export interface Connections {
  /** Watches a server's connections from now on. */
  watch(server: Server): void
  /** Sets what a connection waits for. Ignores unknown sockets. */
  set(socket: Socket, state: ConnectionState): void
  /** Counts a request that did not arrive in time, sends `answer` and closes the connection. */
  timedOut(socket: Socket, answer: string): void
  /** Sends `answer` and closes the connection. */
  end(socket: Socket, answer: string): void
  /** Whether a socket can take an answer: it is open, and by TLS its handshake is done. */
  has(socket: Socket): boolean
  size(): number
  /** Closes connections that wait for their clients, after a short grace period. Requests that the server is answering may finish. */
  close(): void
}

interface Connection {
  readonly address: string
  state: ConnectionState
}

/** How long a client may take after the server begins to stop, or refuses it. */
const graceMs = 1_000

/**
 * When there are too many connections, the server closes the one that has waited longest for its client and accepts the
 * new one. If an address has too many, the closed one has the same address. The server never cuts off a client that it is
 * answering. So clients that hold connections without using them cannot block others.
 */
export function createConnections(limits: HttpLimits, onClosed: (reason: CloseReason) => void): Connections {
  /** Of those that wait for their clients, the one that has waited longest comes first. */
  const open = new Map<Socket, Connection>()
  const perAddress = new Map<string, number>()
  let closing = false

  const forget = (socket: Socket): void => {
    const connection = open.get(socket)
    if (connection === undefined) return
    open.delete(socket)
    const left = (perAddress.get(connection.address) ?? 1) - 1
    if (left === 0) perAddress.delete(connection.address)
    else perAddress.set(connection.address, left)
  }
  const drop = (socket: Socket, reason: CloseReason): void => {
    forget(socket)
    onClosed(reason)
    socket.destroy()
  }
  const dropLongest = (reason: CloseReason, address: string | null): boolean => {
    for (const [socket, connection] of open) {
      if (connection.state === 'answering' || connection.state === 'sending') continue
      if (address !== null && connection.address !== address) continue
      drop(socket, reason)
      return true
    }
    return false
  }
  const roomFor = (address: string): boolean => {
    const full = (perAddress.get(address) ?? 0) >= limits.maxConnectionsPerAddress
    if (full && !dropLongest('address-limit', address)) return false
    return open.size < limits.maxConnections || dropLongest('limit', null)
  }
  const end = (socket: Socket, answer: string): void => {
    if (!socket.writable) {
      socket.destroy()
      return
    }
    // `end()` alone is not enough: a client that keeps its half open would keep the connection.
    socket.setTimeout(graceMs)
    socket.write(answer)
    socket.destroySoon()
  }

  return {
    watch(server) {
      // By TLS, another socket takes the place of the accepted one after the handshake.
      const accepted = new Map<string, Socket>()
      server.on('secureConnection', (socket: Socket) => {
        const before = accepted.get(peerOf(socket))
        const connection = before === undefined ? undefined : open.get(before)
        if (before === undefined || connection === undefined) {
          socket.destroy()
          return
        }
        open.delete(before)
        open.set(socket, connection)
        socket.once('close', () => {
          forget(socket)
        })
      })
      server.on('connection', (socket: Socket) => {
        const address = socket.remoteAddress ?? ''
        if (closing || !roomFor(address)) {
          onClosed(closing ? 'stop' : 'refused')
          socket.destroy()
          return
        }
        open.set(socket, { address, state: 'idle' })
        perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
        const peer = peerOf(socket)
        accepted.set(peer, socket)
        socket.once('close', () => {
          accepted.delete(peer)
          forget(socket)
        })
      })
      server.on('timeout', (socket: Socket) => {
        if (open.get(socket)?.state === 'sending') drop(socket, 'send-timeout')
        else socket.destroy()
      })
    },
    set(socket, state) {
      const connection = open.get(socket)
      if (connection === undefined) return
      connection.state = state
      // Only those that wait for their clients are in order: no other is closed.
      if (state === 'idle' || state === 'receiving') {
        open.delete(socket)
        open.set(socket, connection)
      }
      // Node resets the timeout itself after it has sent the answer.
      if (state === 'sending') socket.setTimeout(closing ? graceMs : limits.maxSendMs)
      if (state === 'idle' && closing) socket.destroySoon()
    },
    timedOut(socket, answer) {
      onClosed('receive-timeout')
      end(socket, answer)
    },
    end,
    has: (socket) => open.has(socket),
    size: () => open.size,
    close() {
      if (closing) return
      closing = true
      for (const [socket, { state }] of open) if (state === 'sending') socket.setTimeout(graceMs)
      setTimeout(() => {
        for (const [socket, { state }] of open) if (state === 'idle' || state === 'receiving') drop(socket, 'stop')
      }, graceMs).unref()
    },
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
