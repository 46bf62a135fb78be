import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'
import { checkHeaders, noHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { afterMs } from '../system/timer.ts'
import { channelReady } from './deadline.ts'
import { errorOf, unavailable } from './status.ts'
import { drainingCorrelationId, type StreamRequest, type StreamResponse } from './stream-messages.ts'

/** How calls share streams. */
export interface StreamClientOptions {
  /** Maximum number of pending calls; further calls reject with CALL_UNAVAILABLE. Default 1,024. */
  readonly maxInFlight?: number
  /** A stream accepts new calls for this long, so that new replicas get their share; milliseconds, default 60,000. */
  readonly maxStreamAgeMs?: number
  /**
   * If deadlines have passed for this long and nothing has arrived, the client reconnects; milliseconds,
   * default 3,000. grpc-js limits neither the time to connect nor, before its first ping, the silence on a connection.
   */
  readonly maxSilenceMs?: number
}

/** A channel to a service, and a function that opens a stream on it. */
export interface StreamChannel<Request, Response> {
  readonly client: Client
  open(): ClientDuplexStream<StreamRequest<Request>, StreamResponse<Response>>
}

/** Many calls over one long-lived stream. */
export interface StreamClient<Request, Response> {
  call(request: Request, options: CallOptions): Promise<Response>
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the channel; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

interface Pending<Response> {
  readonly settle: (response: StreamResponse<Response>) => void
  readonly fail: (error: ContractError) => void
}

interface OpenStream<Request, Response> {
  readonly duplex: ClientDuplexStream<StreamRequest<Request>, StreamResponse<Response>>
  readonly pending: Map<number, Pending<Response>>
  readonly retiresAtMs: number
  retired: boolean
}

/**
 * Makes calls over streams of a channel that `connect` creates. When a stream is lost, its calls reject with CALL_UNAVAILABLE and the next
 * call opens another. The channel reconnects by itself; the client replaces a silent one. It never sends a call twice: retrying is
 * the caller's choice.
 */
export function createStreamClient<Request, Response>(
  connect: () => StreamChannel<Request, Response>,
  { maxInFlight = 1_024, maxStreamAgeMs = 60_000, maxSilenceMs = 3_000 }: StreamClientOptions = {},
): StreamClient<Request, Response> {
  let channel = connect()
  let current: OpenStream<Request, Response> | null = null
  const streams = new Set<OpenStream<Request, Response>>()
  let inFlight = 0
  let lastId = 0
  let closed = false
  /** Since when deadlines have passed without any message from the service; null: a message came after the last missed deadline. */
  let silentSinceMs: number | null = null

  function openStream(): OpenStream<Request, Response> {
    const stream: OpenStream<Request, Response> = {
      duplex: channel.open(),
      pending: new Map(),
      retiresAtMs: performance.now() + maxStreamAgeMs,
      retired: false,
    }
    const lose = (error: ContractError) => {
      streams.delete(stream)
      if (current === stream) current = null
      for (const { fail } of [...stream.pending.values()]) fail(error)
    }
    stream.duplex.on('data', (response: StreamResponse<Response>) => {
      silentSinceMs = null
      if (response.correlationId === drainingCorrelationId) retire(stream)
      else stream.pending.get(response.correlationId)?.settle(response)
    })
    // A broken stream means that the service went away, whatever status the transport reports.
    stream.duplex.on('error', (lost: ServiceError) => {
      const error = errorOf(lost.code, lost.details, lost)
      const ours = error.code === 'CALL_INVALID_ARGUMENT'
      lose(ours ? error : unavailable(lost.details, lost))
    })
    stream.duplex.on('end', () => {
      lose(new ContractError('CALL_UNAVAILABLE', 'the service ended the stream'))
    })
    streams.add(stream)
    return stream
  }

  function retire(stream: OpenStream<Request, Response>): void {
    stream.retired = true
    if (current === stream) current = null
    if (stream.pending.size === 0) stream.duplex.end()
  }

  function streamForCall(): OpenStream<Request, Response> {
    if (current !== null && performance.now() >= current.retiresAtMs) retire(current)
    current ??= openStream()
    return current
  }

  function cancelAll(why: string): void {
    for (const stream of [...streams]) {
      for (const { fail } of [...stream.pending.values()]) fail(new ContractError('CALL_UNAVAILABLE', why))
      stream.duplex.cancel()
    }
    channel.client.close()
  }

  /** Handles a missed deadline. A live service would at least have acknowledged earlier cancellations. */
  function missed(): void {
    const nowMs = performance.now()
    silentSinceMs ??= nowMs
    const silentMs = nowMs - silentSinceMs
    if (silentMs < maxSilenceMs) return
    silentSinceMs = null
    current = null
    cancelAll(`nothing came for ${Math.round(silentMs)} ms; reconnecting`)
    channel = connect()
  }

  function nextId(stream: OpenStream<Request, Response>): number {
    do lastId = (lastId % 0xffffffff) + 1
    while (stream.pending.has(lastId))
    return lastId
  }

  return {
    call(request, { timeoutMs, signal, headers = noHeaders }) {
      return new Promise((resolve, reject) => {
        // An exception here rejects the call.
        checkHeaders(headers)
        if (signal?.aborted) {
          reject(new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: signal.reason }))
          return
        }
        if (!(timeoutMs > 0)) {
          reject(new ContractError('CALL_DEADLINE_EXCEEDED', 'no time was left to begin the call'))
          return
        }
        if (closed || inFlight >= maxInFlight) {
          const why = closed ? 'the client is closed' : `${maxInFlight} calls are under way`
          reject(new ContractError('CALL_UNAVAILABLE', why))
          return
        }
        const stream = streamForCall()
        const correlationId = nextId(stream)
        inFlight++
        const finish = () => {
          inFlight--
          takeBack()
          signal?.removeEventListener('abort', onAbort)
          stream.pending.delete(correlationId)
          if (stream.retired && stream.pending.size === 0) stream.duplex.end()
        }
        const giveUp = (error: ContractError) => {
          stream.duplex.write({ correlationId, timeoutMs: 0, request: undefined, headers: noHeaders })
          finish()
          reject(error)
        }
        const onAbort = () => {
          giveUp(new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: signal?.reason }))
        }
        const boundMs = Math.min(timeoutMs, 0x7fffffff)
        const takeBack = afterMs(boundMs, () => {
          giveUp(new ContractError('CALL_DEADLINE_EXCEEDED', `no answer within ${Math.round(boundMs)} ms`))
          missed()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
        stream.pending.set(correlationId, {
          settle: ({ code, message, response }) => {
            finish()
            if (code !== 0) reject(errorOf(code, message))
            else if (response === undefined) reject(new ContractError('CALL_INTERNAL', 'an answer without a message'))
            else resolve(response)
          },
          fail: (error) => {
            finish()
            reject(error)
          },
        })
        stream.duplex.write({ correlationId, timeoutMs: Math.max(1, Math.ceil(boundMs)), request, headers })
      })
    },
    ready: (timeoutMs) => channelReady(channel.client, timeoutMs),
    close() {
      closed = true
      cancelAll('the client was closed')
    },
  }
}
