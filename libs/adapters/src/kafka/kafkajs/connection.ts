import { tlsAlertByte } from '../../shared/tls/problem.ts'
import { TlsAlert } from '../wire/failures.ts'
import type { KafkajsConnection, KafkajsParts, KafkajsRequestQueue } from './shapes.ts'

/** Bytes of an answer's length, which comes first. */
const lengthBytes = 4
const patched = new WeakSet<KafkajsRequestQueue>()

/**
 * Keeps idle connections quiet: each would run a timer of a few milliseconds for ever, 5 % of a core, that serves only
 * what is pending. Done once for the prototype, however often it is called.
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
 * Two requests on a lost connection would each open a socket, and both sockets feed one buffer. And what a lost
 * connection had read of an answer would stay: the next one's answers would be taken for the rest of it, so that none is
 * ever whole.
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

/** Makes bytes that are not an answer a failure of the connection. Thrown in the socket's event they would end the process. */
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
      giveUp(new Error('the broker sent bytes that are no answer', { cause: error }))
    }
  }
}

/** Cuts a connection at once; what waits for an answer rejects. */
export async function cutConnection(connection: KafkajsConnection, reason: Error): Promise<void> {
  connection.rejectRequests(reason)
  const disconnected = connection.disconnect().catch(() => false)
  connection.socket?.destroy()
  await disconnected
}
