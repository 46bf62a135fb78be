import { tlsAlertByte } from '../../shared/tls/problem.ts'
import { TlsAlert } from '../wire/failures.ts'
import type { KafkajsConnection, KafkajsParts, KafkajsRequestQueue } from './shapes.ts'

/** Size of the length field at the start of an answer, bytes. */
const lengthBytes = 4
const patched = new WeakSet<KafkajsRequestQueue>()

/**
 * Keeps idle connections quiet. Each would otherwise run a timer every few milliseconds forever (5 % of a core), which serves only
 * pending requests. Patches the prototype once, however often it is called.
 */
export function quietIdleQueues({ RequestQueue: { prototype } }: KafkajsParts): void {
  if (patched.has(prototype)) return
  patched.add(prototype)
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: KafkajsRequestQueue) {
    if (this.pending.length > 0) schedule.call(this)
  }
}

/**
 * Fixes two faults of kafkajs. Two requests on a lost connection each open a socket, and both sockets feed one buffer. And when a
 * connection is lost in the middle of an answer, the part it had read stays: it joins the next connection's answers, so that none is
 * ever complete.
 */
export function shareConnect(connection: KafkajsConnection): void {
  const connect = connection.connect.bind(connection)
  let connecting: Promise<boolean> | null = null
  const connectAgain = (): Promise<boolean> => {
    if (!connection.isConnected()) Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: lengthBytes })
    return connect()
  }
  connection.connect = () => (connecting ??= connectAgain().finally(() => (connecting = null)))
}

/** Turns bytes that are not an answer into a failure of the connection. An exception in the socket's event would end the process. */
export function survive(connection: KafkajsConnection): void {
  const processData = connection.processData.bind(connection)
  const giveUp = (reason: Error): void => {
    connection.rejectRequests(reason)
    void connection.disconnect().catch(() => false)
    connection.socket?.destroy()
  }
  connection.processData = (bytes) => {
    // As the length of an answer these two bytes would mean 353 MB.
    const first = connection.bytesBuffered === 0 && connection.bytesNeeded === lengthBytes
    if (first && bytes[0] === tlsAlertByte && bytes[1] === 3) return giveUp(new TlsAlert())
    try {
      processData(bytes)
    } catch (error) {
      giveUp(new Error('the broker sent bytes that are not an answer', { cause: error }))
    }
  }
}

/** Cuts a connection immediately; pending requests reject. */
export async function cutConnection(connection: KafkajsConnection, reason: Error): Promise<void> {
  connection.rejectRequests(reason)
  const disconnected = connection.disconnect().catch(() => false)
  connection.socket?.destroy()
  await disconnected
}
