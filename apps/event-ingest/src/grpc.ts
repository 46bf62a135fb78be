import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import { tolerant, type Decoded } from '@freshet/adapters/grpc/decode'
import { headersIn } from '@freshet/adapters/grpc/metadata'
import {
  EventIngestService,
  MergeUsersRequest,
  PostEngagementsRequest,
  PostPinsRequest,
  type MergeUsersResponse,
  type PostEngagementsResponse,
  type PostPinsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { ingestProblems, problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { unitFault } from '@freshet/contracts/json/time'
import { traceOf } from '@freshet/contracts/trace-context'
import type { GrpcService } from '@freshet/service/grpc-service'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { IngestCall } from './append.ts'
import type { Answer, Ingest, Receipt } from './ingest.ts'
import { parseEngagementMessage, parsePinMessage } from './messages.ts'

type Sized<Message> = Decoded<Message> & { readonly bytes: number }
type Receipts = PostPinsResponse & Partial<PostEngagementsResponse>
type Taken = Extract<Answer, { kind: 'taken' }>
type Handler<Message, Response> = (
  call: ServerUnaryCall<Sized<Message>, Response>,
  done: sendUnaryData<Response>,
) => void

/** gRPC sends a status in headers, whose size is limited. */
const maxDetailsCharacters = 4_000

/** The `EventIngest` service. It translates between messages and `Ingest`. If no event of a request was accepted, the status is an error; otherwise the receipts report rejected events. */
export function createIngestGrpcService(
  ingest: Ingest,
  { metrics, report }: { readonly metrics: Metrics; readonly report: Report },
): GrpcService {
  const requests = metrics.counter('freshet_ingest_requests_total')
  const handler =
    <Message, Response>(
      take: (message: Message, about: { bytes: number; call: IngestCall }) => Promise<Answer>,
      toMessage: (answer: Taken) => Response,
    ): Handler<Message, Response> =>
    (call, done) => {
      void (async () => {
        const { request } = call
        if ('problem' in request) return refused({ code: 'BODY_MALFORMED', field: '', message: request.problem })
        const answer = await take(request.message, { bytes: request.bytes, call: readCall(call) })
        if (answer.kind === 'refused') return refused(answer.problem)
        const problems = answer.receipts.flatMap((receipt) => ('code' in receipt ? receipt.problems : []))
        if (answer.accepted === 0) return rejected(problems)
        requests.inc({ protocol: 'grpc', outcome: 'accepted' })
        done(null, toMessage(answer))
      })().catch((error: unknown) => {
        report(error, { part: 'grpc', outcome: 'defect' })
        refused(
          problemAt(
            '',
            'the request',
            'INGEST_INTERNAL',
            'failed because of a defect in the service; send the same event ids again',
          ),
        )
      })

      function refused(problem: IngestProblem): void {
        requests.inc({ protocol: 'grpc', outcome: problem.code })
        done({ code: toStatus(problem), details: `${problem.code}: ${problem.message}` })
      }

      function rejected(problems: readonly IngestProblem[]): void {
        requests.inc({ protocol: 'grpc', outcome: 'rejected' })
        done({ code: status.INVALID_ARGUMENT, details: formatDetails(problems) })
      }
    }

  return {
    definition: {
      postEngagements: {
        ...EventIngestService.postEngagements,
        requestDeserialize: sized('PostEngagementsRequest', (bytes) => PostEngagementsRequest.decode(bytes)),
      },
      postPins: {
        ...EventIngestService.postPins,
        requestDeserialize: sized('PostPinsRequest', (bytes) => PostPinsRequest.decode(bytes)),
      },
      mergeUsers: {
        ...EventIngestService.mergeUsers,
        requestDeserialize: sized('MergeUsersRequest', (bytes) => MergeUsersRequest.decode(bytes)),
      },
    },
    implementation: {
      postEngagements: handler(async ({ engagements, sentAtMs, clockOffsetMs }: PostEngagementsRequest, about) => {
        const fault = sentAtMs === undefined ? null : unitFault(sentAtMs)
        if (fault !== null) return { kind: 'refused', problem: problemAt('', 'sentAt', fault.code, fault.text) }
        return ingest.takeEngagements({
          events: engagements,
          read: parseEngagementMessage,
          single: false,
          ...about,
          clock: { sentAtMs: sentAtMs ?? null, offsetMs: clockOffsetMs ?? 0 },
        })
      }, toReceipts),
      postPins: handler(
        ({ pins }: PostPinsRequest, about) =>
          ingest.takePins({ events: pins, read: parsePinMessage, single: false, ...about }),
        toReceipts,
      ),
      mergeUsers: handler(async ({ fromUserId, intoUserId, occurredAtMs }: MergeUsersRequest, { call }) => {
        const fault = occurredAtMs === undefined ? null : unitFault(occurredAtMs)
        if (fault !== null) return { kind: 'refused', problem: problemAt('', 'occurredAt', fault.code, fault.text) }
        return ingest.mergeUsers({ fromUserId, intoUserId, occurredAtMs: occurredAtMs ?? null }, call)
      }, toMergeResponse),
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

/** All problems of a request, as many as fit in the status. */
function formatDetails(problems: readonly IngestProblem[]): string {
  let details = ''
  for (const [index, { code, message }] of problems.entries()) {
    const one = `${index === 0 ? '' : '; '}${code}: ${message}`
    if (index > 0 && details.length + one.length > maxDetailsCharacters) {
      return `${details}; and ${problems.length - index} more`
    }
    details += one
  }
  return details
}

function toReceipts({ receipts, receivedAtMs, notice }: Taken): Receipts {
  return { receipts: receipts.map(toReceiptMessage), receivedAtMs, notice }
}

function toMergeResponse({ receipts: [receipt], receivedAtMs, notice }: Taken): MergeUsersResponse {
  return { token: receipt !== undefined && 'token' in receipt ? receipt.token : '', receivedAtMs, notice }
}

function toReceiptMessage(receipt: Receipt): Receipts['receipts'][number] {
  if ('code' in receipt) return { ...receipt, token: '', problems: [...receipt.problems] }
  return { ...receipt, code: '', message: '', field: '', problems: [] }
}
