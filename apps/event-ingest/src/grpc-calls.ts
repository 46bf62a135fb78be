import { status, type ServerUnaryCall } from '@grpc/grpc-js'
import { tolerant, type Decoded } from '@freshet/adapters/grpc/decode'
import { headersIn } from '@freshet/adapters/grpc/metadata'
import { ingestProblems, type IngestProblem } from '@freshet/contracts/json/problems'
import { traceOf } from '@freshet/contracts/trace-context'
import { grpcSource } from '@freshet/service/grpc-source'
import type { IngestCall } from './append.ts'

/** A decoded request and its size in bytes. */
export type Sized<Message> = Decoded<Message> & { readonly bytes: number }

/** The caller's deadline, signal and trace. grpc-js reports a passed deadline as a cancellation. */
export function readCall(
  call: Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getDeadline' | 'getPeer'> & NodeJS.EventEmitter,
): Required<IngestCall> {
  const over = new AbortController()
  call.on('cancelled', () => over.abort(callEnded))
  const deadlineMs = Number(call.getDeadline())
  return {
    trace: traceOf(headersIn(call.metadata)),
    deadlineMs: Number.isFinite(deadlineMs) ? deadlineMs : null,
    signal: over.signal,
    source: grpcSource(call),
  }
}

const callEnded = new Error('the caller ended the call, or its deadline passed')

/** Decodes a request and keeps its size. */
export function sized<Message>(name: string, decode: (bytes: Buffer) => Message): (bytes: Buffer) => Sized<Message> {
  const read = tolerant(name, decode)
  return (bytes) => ({ ...read(bytes), bytes: bytes.byteLength })
}

/** The gRPC status for a problem. */
export function toStatus({ code }: IngestProblem): status {
  if (code === 'INGEST_DEADLINE_EXCEEDED') return status.DEADLINE_EXCEEDED
  if (code === 'RATE_LIMITED') return status.RESOURCE_EXHAUSTED
  const { fault, retryable } = ingestProblems[code]
  if (fault === 'client') return status.INVALID_ARGUMENT
  return retryable && code !== 'INGEST_INTERNAL' ? status.UNAVAILABLE : status.INTERNAL
}
