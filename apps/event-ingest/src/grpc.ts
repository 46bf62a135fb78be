import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import { tolerant, type Decoded } from '@freshet/adapters/grpc/decode'
import { headersIn } from '@freshet/adapters/grpc/metadata'
import { EventIngestService } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { ingestProblems, type IngestProblem } from '@freshet/contracts/json/problems'
import { traceOf } from '@freshet/contracts/trace-context'
import type { GrpcService } from '@freshet/service/grpc-service'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { IngestCall } from './append.ts'
import type { Ingest } from './ingest.ts'
import { createMessageCalls, formatProblems, type CallResult, type MessageCall } from './message-calls.ts'
import { internalProblem } from './request-problems.ts'

type Sized<Message> = Decoded<Message> & { readonly bytes: number }
type Handler<Message, Response> = (
  call: ServerUnaryCall<Sized<Message>, Response>,
  done: sendUnaryData<Response>,
) => void

/** The `EventIngest` service. It translates between messages and `Ingest`. If no event of a request was accepted, the status is an error; otherwise the receipts report rejected events. */
export function createIngestGrpcService(
  ingest: Ingest,
  { metrics, report }: { readonly metrics: Metrics; readonly report: Report },
): GrpcService {
  const requests = metrics.counter('freshet_ingest_requests_total')
  const handler =
    <Message, Response>({ take }: MessageCall<Message, Response>): Handler<Message, Response> =>
    (call, done) => {
      void (async () => {
        const { request } = call
        if ('problem' in request) return refused({ code: 'BODY_MALFORMED', field: '', message: request.problem })
        answer(await take(request.message, { bytes: request.bytes, call: readCall(call) }))
      })().catch((error: unknown) => {
        report(error, { part: 'grpc', outcome: 'defect' })
        refused(internalProblem)
      })

      function answer(result: CallResult<Response>): void {
        requests.inc({ protocol: 'grpc', outcome: result.kind === 'failed' ? result.outcome : 'accepted' })
        if (result.kind === 'accepted') done(null, result.response)
        else done({ code: toStatus(result.problems[0]), details: formatProblems(result.problems) })
      }

      function refused(problem: IngestProblem): void {
        answer({ kind: 'failed', outcome: problem.code, problems: [problem] })
      }
    }

  const { postEngagements, postPins, mergeUsers } = createMessageCalls(ingest)
  const definition = <Request, Response>({ method }: MessageCall<Request, Response>) => ({
    requestDeserialize: sized(`${method.name}Request`, (bytes) => method.request.decode(bytes)),
  })
  return {
    definition: {
      postEngagements: { ...EventIngestService.postEngagements, ...definition(postEngagements) },
      postPins: { ...EventIngestService.postPins, ...definition(postPins) },
      mergeUsers: { ...EventIngestService.mergeUsers, ...definition(mergeUsers) },
    },
    implementation: {
      postEngagements: handler(postEngagements),
      postPins: handler(postPins),
      mergeUsers: handler(mergeUsers),
    },
  }
}

/** The caller's deadline, signal and trace. grpc-js reports a passed deadline as a cancellation. */
function readCall(call: ServerUnaryCall<unknown, unknown>): IngestCall {
  const over = new AbortController()
  call.on('cancelled', () => over.abort(callEnded))
  const deadlineMs = Number(call.getDeadline())
  return {
    trace: traceOf(headersIn(call.metadata)),
    deadlineMs: Number.isFinite(deadlineMs) ? deadlineMs : null,
    signal: over.signal,
  }
}

const callEnded = new Error('the caller ended the call, or its deadline passed')

function sized<Message>(name: string, decode: (bytes: Buffer) => Message): (bytes: Buffer) => Sized<Message> {
  const read = tolerant(name, decode)
  return (bytes) => ({ ...read(bytes), bytes: bytes.byteLength })
}

function toStatus({ code }: IngestProblem): status {
  if (code === 'INGEST_DEADLINE_EXCEEDED') return status.DEADLINE_EXCEEDED
  const { fault, retryable } = ingestProblems[code]
  if (fault === 'client') return status.INVALID_ARGUMENT
  return retryable && code !== 'INGEST_INTERNAL' ? status.UNAVAILABLE : status.INTERNAL
}
