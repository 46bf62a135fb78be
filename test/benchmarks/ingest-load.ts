import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Events of a batch. */
export const batchEvents = 20
const concurrency = 16
/** Bodies that are made before the load begins: a client that made each would be slower than the server. */
const bodyCount = 500

/** One run of load. */
export interface LoadRun {
  /** Of each batch, milliseconds. */
  readonly latencies: readonly number[]
  readonly ms: number
}

/** Engagements as the SDK sends them. */
export function engagementsOf(batch: number): readonly object[] {
  return Array.from({ length: batchEvents }, (_, i) => ({
    eventId: `event-${batch}-${i}`,
    userId: `user-${(batch * batchEvents + i) % 5_000}`,
    sessionId: `session-${batch}`,
    action: i % 5 === 0 ? 'click' : 'impression',
    pinId: `pin-${(batch * 31 + i * 7) % 10_000}`,
    occurredAt: new Date().toISOString(),
    surface: 'home',
    position: i,
  }))
}

function requestsWith(key: string): readonly Buffer[] {
  return Array.from({ length: bodyCount }, (_, batch) => {
    const body = JSON.stringify({ engagements: engagementsOf(batch) })
    const head = ['POST /v1/engagements HTTP/1.1', 'host: x', 'content-type: application/json', `freshet-key: ${key}`]
    return Buffer.from(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  })
}

/** A client of one server: bare sockets, so that it costs less than what it measures. */
export interface LoadClient {
  /** Sends one batch and returns the body of the answer. */
  once(): Promise<string>
  /** A number of batches, as fast as they get through. Not a time: on a busy machine, code that ran seldom would be measured before it is compiled. */
  closed(batches: number): Promise<LoadRun>
  /** Batches at a rate, whether answers come or not; latencies count from the time when a batch was due. */
  open(perSecond: number, batches: number): Promise<LoadRun>
}

/** A client of a server on this machine. */
export function createLoadClient(port: number, key: string): LoadClient {
  const requests = requestsWith(key)
  let next = 0
  // New connections for each run: on a busy machine the server would close idle ones in between.
  const withLines = async <T>(run: (lines: readonly Line[]) => Promise<T>, count = concurrency): Promise<T> => {
    const lines = await Promise.all(Array.from({ length: count }, () => openLine(port)))
    try {
      return await run(lines)
    } finally {
      for (const { socket } of lines) socket.destroy()
    }
  }
  const send = ({ ask }: Line): Promise<string> => ask(requests[next++ % bodyCount]!)
  return {
    once: () => withLines(([line]) => send(line!), 1),
    closed: (batches) =>
      withLines(async (lines) => {
        const latencies: number[] = []
        const startMs = performance.now()
        let begun = 0
        await Promise.all(
          lines.map(async (line) => {
            for (let atMs = performance.now(); begun++ < batches;) {
              await send(line)
              const doneMs = performance.now()
              latencies.push(doneMs - atMs)
              atMs = doneMs
            }
          }),
        )
        return { latencies, ms: performance.now() - startMs }
      }),
    open: (perSecond, batches) =>
      withLines(async (lines) => {
        const latencies: number[] = []
        const due: number[] = []
        const free = [...lines]
        const busy = new Set<Promise<void>>()
        const startMs = performance.now()
        const sendDue = (): void => {
          while (free.length > 0 && due.length > 0) {
            const line = free.pop()!
            const dueMs = due.shift()!
            const sent = send(line).then(() => {
              latencies.push(performance.now() - dueMs)
              free.push(line)
              busy.delete(sent)
              sendDue()
            })
            busy.add(sent)
          }
        }
        for (let n = 0; n < batches; await sleep(1)) {
          const nowMs = performance.now()
          for (; n < batches && startMs + (n * 1_000) / perSecond <= nowMs; n++)
            due.push(startMs + (n * 1_000) / perSecond)
          sendDue()
        }
        while (busy.size > 0) await Promise.all(busy)
        return { latencies, ms: performance.now() - startMs }
      }),
  }
}

interface Line {
  readonly socket: Socket
  ask(request: Buffer): Promise<string>
}

const endOfHead = Buffer.from('\r\n\r\n')

async function openLine(port: number): Promise<Line> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let received: Buffer = Buffer.alloc(0)
  let waiting: { resolve(body: string): void; reject(error: Error): void } | null = null
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const headEnd = received.indexOf(endOfHead)
    if (headEnd < 0) return
    const head = received.toString('latin1', 0, headEnd)
    const bodyAt = headEnd + endOfHead.length
    if (received.length < bodyAt + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) return
    const body = received.toString('utf8', bodyAt)
    received = Buffer.alloc(0)
    const { resolve, reject } = waiting!
    waiting = null
    if (head.startsWith('HTTP/1.1 202')) resolve(body)
    else reject(new Error(`ingest answered ${head.slice(0, 20)}: ${body}`))
  })
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  return {
    socket,
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
  }
}
