import { Metadata, status, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { ContractError, RateLimitedError } from '@freshet/contracts/errors'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { boundedCall } from '../shared/bounded-call.ts'
import { createTurnstile } from '../system/turnstile.ts'
import { msUntil } from './deadline.ts'
import { messageOf, type Decoded } from './decode.ts'
import { headersIn } from './metadata.ts'
import { isDefect, statusOf } from './status.ts'
import { drainingCorrelationId, type StreamRequest, type StreamResponse } from './stream-messages.ts'

/** Options of a service's server. */
export interface CallServerOptions {
  /** Receives defects: errors outside the catalogue. */
  readonly onDefect: (error: unknown) => void
  /** Called after every answered call, unary or on a stream, with its name, gRPC status, duration in milliseconds and headers. */
  readonly onCall?: (call: string, status: string, ms: number, headers: MessageHeaders) => void
  /** Maximum number of pending calls on one stream; further calls get RESOURCE_EXHAUSTED. Default 4,096. */
  readonly maxInFlightPerStream?: number
  /** Called before a unary call is answered. The call ends with the error that it rejects with. */
  readonly admit?: (call: ServerUnaryCall<unknown, unknown>, request: unknown) => Promise<void> | void
  /** Timeout of a unary call without a deadline, milliseconds; default 10,000. */
  readonly defaultTimeoutMs?: number
}

/** Serves one method by unary calls and over streams, and can drain its streams. */
export interface CallServer<Request, Response> {
  unary(call: ServerUnaryCall<Decoded<Request>, Response>, callback: sendUnaryData<Response>): void
  stream(duplex: ServerDuplexStream<Decoded<StreamRequest<Request>>, StreamResponse<Response>>): void
  /** Asks clients to open their next stream elsewhere; pending calls still get answers. */
  drain(): void
}

/** When a call that came too fast may come again, as metadata: seconds, and the pause in which gRPC clients do not retry by themselves. */
function retryIn(error: unknown): { readonly metadata?: Metadata } {
  if (!(error instanceof RateLimitedError)) return {}
  const metadata = new Metadata()
  metadata.set('retry-after', String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))))
  metadata.set('grpc-retry-pushback-ms', String(error.retryAfterMs))
  return { metadata }
}

/** Serves calls with `answer`, which receives the callers' deadlines and cancellations. `name`: the method's name for observers. */
export function createCallServer<Request, Response>(
  name: string,
  answer: (request: Request, options: Required<CallOptions>) => Promise<Response>,
  options: CallServerOptions,
): CallServer<Request, Response> {
  const { onDefect, onCall = () => undefined, maxInFlightPerStream = 4_096, defaultTimeoutMs = 10_000 } = options
  const open = new Set<ServerDuplexStream<Decoded<StreamRequest<Request>>, StreamResponse<Response>>>()
  const pass = createTurnstile()
  let draining = false

  function failure(error: unknown): { readonly code: status; readonly details: string } {
    if (isDefect(error)) onDefect(error)
    return statusOf(error)
  }

  /**
   * Runs a call at its turn with the time that is left then. Under overload it skips calls that
   * the client gave up while they waited. Otherwise every answer would come too late and be useless.
   */
  const inTurn = (
    request: () => Request,
    call: Required<CallOptions>,
    admit?: (request: Request) => Promise<void> | void,
  ): Promise<Response> => {
    const cameAtMs = performance.now()
    const ended = (code: status): void =>
      onCall(name, status[code] ?? 'UNKNOWN', performance.now() - cameAtMs, call.headers)
    const answered = boundedCall(call, async ({ timeoutMs, signal, headers }) => {
      await pass(timeoutMs)
      signal.throwIfAborted()
      const leftMs = timeoutMs - (performance.now() - cameAtMs)
      if (leftMs <= 0) throw new ContractError('CALL_DEADLINE_EXCEEDED', 'its turn came after its deadline')
      const asked = request()
      await admit?.(asked)
      return answer(asked, { timeoutMs: leftMs, signal, headers })
    })
    answered.then(
      () => ended(status.OK),
      (error: unknown) => ended(statusOf(error).code),
    )
    return answered
  }

  return {
    unary(call, callback) {
      const stop = new AbortController()
      let answered = false
      // grpc-js also emits this when an answered call closes. Nobody listens then, so skip the costly abort.
      call.on('cancelled', () => {
        if (!answered) stop.abort()
      })
      const deadline = call.getDeadline()
      const timeoutMs = msUntil(deadline) ?? defaultTimeoutMs
      const admit = options.admit && ((request: Request) => options.admit?.(call, request))
      inTurn(
        () => messageOf(call.request),
        { timeoutMs, signal: stop.signal, headers: headersIn(call.metadata) },
        admit,
      ).then(
        (response) => {
          answered = true
          callback(null, response)
        },
        (error: unknown) => {
          answered = true
          callback({ ...failure(error), ...retryIn(error) })
        },
      )
    },
    stream(duplex) {
      const underWay = new Map<number, AbortController>()
      let halfClosed = false
      let over = false
      const send = (response: StreamResponse<Response>) => {
        // Do not read from a client that does not read, so that its answers do not pile up here.
        if (!over && !duplex.write(response)) duplex.pause()
      }
      const endWhenDone = () => {
        if (halfClosed && underWay.size === 0 && !over) duplex.end()
      }
      const abandon = () => {
        over = true
        open.delete(duplex)
        for (const controller of [...underWay.values()]) controller.abort()
        underWay.clear()
      }
      const respond = (correlationId: number, code: number, message: string) => {
        send({ correlationId, code, message, response: undefined })
      }

      open.add(duplex)
      if (draining) respond(drainingCorrelationId, status.UNAVAILABLE, 'draining')
      duplex.on('drain', () => {
        duplex.resume()
      })
      const refuse = (details: string) => {
        abandon()
        duplex.emit('error', { code: status.INVALID_ARGUMENT, details })
      }
      duplex.on('data', (decoded: Decoded<StreamRequest<Request>>) => {
        if ('problem' in decoded) {
          refuse(decoded.problem)
          return
        }
        const { correlationId, timeoutMs, request, headers } = decoded.message
        if (request === undefined) {
          underWay.get(correlationId)?.abort()
          return
        }
        if (correlationId === drainingCorrelationId || underWay.has(correlationId)) {
          refuse(`correlation_id: ${correlationId} is ${correlationId === 0 ? 'reserved' : 'under way'}`)
          return
        }
        if (timeoutMs === 0) {
          respond(correlationId, status.INVALID_ARGUMENT, 'timeout_ms: is 0; give at least 1')
          return
        }
        if (underWay.size >= maxInFlightPerStream) {
          respond(correlationId, status.RESOURCE_EXHAUSTED, `${maxInFlightPerStream} calls are under way`)
          return
        }
        const controller = new AbortController()
        underWay.set(correlationId, controller)
        inTurn(() => request, { timeoutMs, signal: controller.signal, headers })
          .then(
            (response) => {
              send({ correlationId, code: 0, message: '', response })
            },
            (error: unknown) => {
              const { code, details } = failure(error)
              respond(correlationId, code, details)
            },
          )
          .finally(() => {
            underWay.delete(correlationId)
            endWhenDone()
          })
          .catch(onDefect)
      })
      duplex.on('end', () => {
        halfClosed = true
        endWhenDone()
      })
      duplex.on('cancelled', abandon)
      duplex.on('error', abandon)
      duplex.on('close', abandon)
    },
    drain() {
      draining = true
      const message = { correlationId: drainingCorrelationId, code: status.UNAVAILABLE, message: 'draining' }
      for (const duplex of open) duplex.write({ ...message, response: undefined })
    },
  }
}
