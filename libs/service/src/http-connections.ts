import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpLimits } from './settings.ts'

/** What a connection waits for: a request to begin, a request to be complete, the answer, or the client to take the answer. */
export type ConnectionState = 'idle' | 'receiving' | 'answering' | 'sending'

/** Why a connection was closed by this side. */
export type CloseReason = 'limit' | 'address-limit' | 'refused' | 'receive-timeout' | 'send-timeout' | 'stop'

/** The connections of a server, bounded in all and per address. */
export interface Connections {
  /** Watches a server's connections from now on. */
  watch(server: Server): void
  /** Says what a connection waits for. Unknown sockets are ignored. */
  set(socket: Socket, state: ConnectionState): void
  /** Counts a request that did not arrive in time, and closes its connection once `answer` is sent. */
  timedOut(socket: Socket, answer: string): void
  /** Sends `answer` and closes. */
  end(socket: Socket, answer: string): void
  size(): number
  /** Closes what waits for its client, after a short grace; what is being answered may end. */
  close(): void
}

interface Connection {
  readonly address: string
  state: ConnectionState
}

/** How long a client may take once the server stops, or was refused. */
const graceMs = 1_000

/**
 * When there are too many connections, the one that has waited for its client for the longest is closed in favour of the
 * new one: of the same address where that address has too many, else of any. Who is being answered is never cut off. So
 * clients that hold connections without using them shut out nobody.
 */
export function createConnections(limits: HttpLimits, onClosed: (reason: CloseReason) => void): Connections {
  /** Those that waited longest first. */
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
    // Not end() alone: a client that keeps its half open would keep the connection.
    socket.setTimeout(graceMs)
    socket.write(answer)
    socket.destroySoon()
  }

  return {
    watch(server) {
      server.on('connection', (socket: Socket) => {
        const address = socket.remoteAddress ?? ''
        if (closing || !roomFor(address)) {
          onClosed(closing ? 'stop' : 'refused')
          socket.destroy()
          return
        }
        open.set(socket, { address, state: 'idle' })
        perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
        socket.once('close', () => {
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
      open.delete(socket)
      open.set(socket, connection)
      // Node itself sets the time back once the answer is out.
      if (state === 'sending') socket.setTimeout(closing ? graceMs : limits.maxSendMs)
      if (state === 'idle' && closing) socket.destroySoon()
    },
    timedOut(socket, answer) {
      onClosed('receive-timeout')
      end(socket, answer)
    },
    end,
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
