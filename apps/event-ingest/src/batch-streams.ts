import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import { readPlainEngagementMessages } from '@freshet/contracts/bytes/plain-engagement-messages'
import {
  StreamBoardsRequest,
  StreamCreatorsRequest,
  StreamEngagementsRequest,
  StreamPinsRequest,
  type StreamBoardsResponse,
  type StreamCreatorsResponse,
  type StreamEngagementsResponse,
  type StreamPinsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import type { PlainEngagements } from '@freshet/contracts/bytes/plain-engagements'
import { ingestProblems, type IngestProblem } from '@freshet/contracts/json/problems'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import { readCall, type Sized } from './grpc-calls.ts'
import type { Answer, Ingest } from './ingest.ts'
import {
  takeBoardMessages,
  takeCreatorMessages,
  takeEngagementMessages,
  takePinMessages,
  toReceiptMessage,
  type AboutCall,
} from './message-calls.ts'
import { plainAnswer } from './plain-answer.ts'
import { internalProblem } from './request-problems.ts'

/** What a stream of batches carries. */
export interface StreamKind<Request, Response> {
  decode(bytes: Buffer): Request
  take(ingest: Ingest, request: Request, about: AboutCall): Promise<Answer>
  /** How many events a batch has. */
  size(request: Request): number
  respond(answer: Answer, progress: StreamProgress): Response
  /**
   * Whether batches are taken one after the other, and none after one that was refused and can be sent again: the same batch sent
   * later would undo what came after it.
   */
  readonly isOrdered: boolean
}

/** How far a stream is when a batch is answered. */
interface StreamProgress {
  /** Number of the batch, 0 = first. */
  readonly batch: number
  /** Events of this stream so far, this batch included. */
  readonly accepted: number
  readonly rejected: number
}

/** A batch of engagements: plain ones are not decoded into objects. */
export type EngagementBatchMessage =
  | { readonly kind: 'plain'; readonly engagements: PlainEngagements }
  | { readonly kind: 'message'; readonly message: StreamEngagementsRequest }

/** More events than this are decoded, whatever the configured bound is, and refused if they are too many. */
const maxPlainEvents = 1_000

/** Batches of engagements. */
export const engagementStream: StreamKind<EngagementBatchMessage, StreamEngagementsResponse> = {
  decode(bytes) {
    const engagements = readPlainEngagementMessages(bytes, maxPlainEvents)
    if (engagements !== null) return { kind: 'plain', engagements }
    return { kind: 'message', message: StreamEngagementsRequest.decode(bytes) }
  },
  async take(ingest, batch, about) {
    if (batch.kind === 'message') return takeEngagementMessages(ingest, batch.message, about)
    const { engagements } = batch
    const taken = await ingest.takePlain({ engagements, ...about })
    if (taken !== null) return plainAnswer(engagements, taken)
    return takeEngagementMessages(ingest, StreamEngagementsRequest.decode(engagements.bytes), about)
  },
  size: (batch) => (batch.kind === 'plain' ? batch.engagements.count : batch.message.engagements.length),
  // An engagement that comes late counts as if it had come in time.
  isOrdered: false,
  respond: (answer, { batch }) => ({
    batch,
    ...resultOf(answer),
    receivedAtMs: answer.kind === 'taken' ? answer.receivedAtMs : 0,
    notice: answer.kind === 'taken' ? answer.notice : '',
  }),
}

/** Batches of changes of pins. */
export const pinStream: StreamKind<StreamPinsRequest, StreamPinsResponse> = {
  decode: (bytes) => StreamPinsRequest.decode(bytes),
  take: takePinMessages,
  size: ({ pins }) => pins.length,
  isOrdered: true,
  respond: respondWithProgress,
}

/** Batches of changes of creators. */
export const creatorStream: StreamKind<StreamCreatorsRequest, StreamCreatorsResponse> = {
  decode: (bytes) => StreamCreatorsRequest.decode(bytes),
  take: takeCreatorMessages,
  size: ({ creators }) => creators.length,
  isOrdered: true,
  respond: respondWithProgress,
}

/** Batches of changes of boards. */
export const boardStream: StreamKind<StreamBoardsRequest, StreamBoardsResponse> = {
  decode: (bytes) => StreamBoardsRequest.decode(bytes),
  take: takeBoardMessages,
  size: ({ boards }) => boards.length,
  isOrdered: true,
  respond: respondWithProgress,
}

/** The answer to a batch of catalogue changes. */
function respondWithProgress(answer: Answer, { batch, accepted, rejected }: StreamProgress) {
  return { batch, ...resultOf(answer), acceptedSoFar: accepted, rejectedSoFar: rejected }
}

function resultOf(answer: Answer) {
  if (answer.kind === 'taken')
    return { receipts: answer.receipts.map(toReceiptMessage), refused: undefined, retryable: false }
  const { code, field, message } = answer.problem
  return { receipts: [], refused: { code, field, message }, retryable: ingestProblems[code].retryable }
}

type BatchCall<Request, Response> = ServerDuplexStream<Sized<Request>, Response>

/** Serves streams of batches, and can end them. */
export interface BatchStreams {
  serve<Request, Response>(kind: StreamKind<Request, Response>): (call: BatchCall<Request, Response>) => void
  /** Reads no more batches, answers those that it has read, and ends every stream with UNAVAILABLE. */
  drain(): Promise<void>
}

/**
 * Creates the streams. Each batch gets one answer, in the order of the batches. At most `maxStreamBatches` batches of one stream wait for
 * the log or for a client that does not read its answers; beyond that, ingest reads nothing, and the flow control of HTTP/2 stops the client.
 */
export function createBatchStreams(
  ingest: Ingest,
  { metrics, report, maxStreamBatches }: Readonly<{ metrics: Metrics; report: Report; maxStreamBatches: number }>,
): BatchStreams {
  const requests = metrics.counter('freshet_ingest_requests_total')
  const open = new Set<() => Promise<void>>()

  return {
    serve:
      <Request, Response>(kind: StreamKind<Request, Response>) =>
      (call: BatchCall<Request, Response>) => {
        const about = readCall(call)
        const gate = createReadingGate(call, maxStreamBatches)
        let batches = 0
        let [accepted, rejected] = [0, 0]
        let isOver = false
        let stopWaiting: () => void = () => undefined
        /** Resolves when all answers so far are sent. */
        let answered = Promise.resolve()

        const taken = async (request: Sized<Request>): Promise<Answer> => {
          if ('problem' in request) {
            return { kind: 'refused', problem: { code: 'BODY_MALFORMED', field: '', message: request.problem } }
          }
          try {
            return await kind.take(ingest, request.message, { bytes: request.bytes, call: about })
          } catch (error) {
            report(error, { part: 'grpc', outcome: 'defect' })
            return { kind: 'refused', problem: internalProblem }
          }
        }
        let turn: Promise<Answer> | null = null
        const takenInOrder = async (request: Sized<Request>): Promise<Answer> => {
          const before = await turn
          if (before?.kind !== 'refused' || !ingestProblems[before.problem.code].retryable) return taken(request)
          return { kind: 'refused', problem: { ...before.problem, field: '', message: afterRefusal } }
        }
        const send = async (batch: number, events: number, result: Promise<Answer>): Promise<void> => {
          const answer = await result
          const more = answer.kind === 'taken' ? answer.accepted : 0
          accepted += more
          rejected += events - more
          requests.inc({ protocol: 'grpc-stream', outcome: outcomeOf(answer) })
          if (!isOver) {
            const response = kind.respond(answer, { batch, accepted, rejected })
            await new Promise<void>((resolve) => {
              // The callback does not come if the call ends in between.
              stopWaiting = resolve
              call.write(response, () => resolve())
            })
          }
          gate.leave()
        }
        const end = async (failure: { readonly code: status; readonly details: string } | null): Promise<void> => {
          gate.close()
          open.delete(drain)
          await answered
          if (isOver) return
          isOver = true
          if (failure === null) call.end()
          else call.emit('error', failure)
        }
        const drain = (): Promise<void> => end({ code: status.UNAVAILABLE, details: draining })

        open.add(drain)
        call.on('data', (request: Sized<Request>) => {
          gate.enter()
          const batch = batches++
          const events = 'message' in request ? kind.size(request.message) : 0
          const before = answered
          const result = kind.isOrdered ? (turn = takenInOrder(request)) : taken(request)
          answered = before.then(() => send(batch, events, result))
        })
        call.on('end', () => void end(null))
        call.on('cancelled', () => {
          isOver = true
          gate.close()
          open.delete(drain)
          stopWaiting()
        })
      },
    async drain() {
      await Promise.all([...open].map((end) => end()))
    },
  }
}

const afterRefusal =
  'a batch before was refused, and changes are taken in order; send all from that batch on in a new stream'
const draining = 'INGEST_UNAVAILABLE: this replica stops; open the stream again and send what was not answered'

function outcomeOf(answer: Answer): string {
  if (answer.kind === 'refused') return answer.problem.code satisfies IngestProblem['code']
  return answer.accepted > 0 ? 'accepted' : 'rejected'
}

/**
 * Lets a call read its next message only while fewer than `most` are under way. `pause` would not do: a paused stream of objects reads
 * 16 more.
 */
function createReadingGate(call: ServerDuplexStream<unknown, unknown>, most: number) {
  const read = call._read.bind(call)
  let underWay = 0
  let isWaiting = false
  let isClosed = false
  call._read = (size) => {
    if (isClosed) return
    if (underWay < most) read(size)
    else isWaiting = true
  }
  return {
    enter(): void {
      underWay++
    },
    leave(): void {
      underWay--
      if (!isWaiting || isClosed) return
      isWaiting = false
      read(1)
    },
    close(): void {
      isClosed = true
    },
  }
}
