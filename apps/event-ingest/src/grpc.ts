import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import { ingestRules } from '@freshet/adapters/access/ingest-rules'
import { EventIngestService } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import type { GrpcService } from '@freshet/service/grpc-service'
import { retryMetadata } from '@freshet/service/grpc-source'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import { readCall, sized, toStatus, type Sized } from './grpc-calls.ts'
import type { Ingest } from './ingest.ts'
import { createMessageCalls, formatProblems, type CallResult, type MessageCall } from './message-calls.ts'
import { internalProblem } from './request-problems.ts'
import {
  boardStream,
  createBatchStreams,
  creatorStream,
  engagementStream,
  pinStream,
  type StreamKind,
} from './batch-streams.ts'

type Handler<Message, Response> = (
  call: ServerUnaryCall<Sized<Message>, Response>,
  done: sendUnaryData<Response>,
) => void

/** The `EventIngest` service, which can end its streams. */
export interface IngestGrpcService extends GrpcService {
  /** Reads no more batches, answers those that it has read, and ends every stream. */
  drain(): Promise<void>
}

/**
 * The `EventIngest` service. It translates between messages and `Ingest`. If no event of a unary request was accepted, the status
 * is an error; otherwise the receipts report rejected events. `maxStreamBatches`: how many batches of one stream may wait for the log.
 */
export function createIngestGrpcService(
  ingest: Ingest,
  options: { readonly metrics: Metrics; readonly report: Report; readonly maxStreamBatches: number },
): IngestGrpcService {
  const { metrics, report } = options
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
        else {
          const [problem] = result.problems
          const { retryAfterMs } = problem
          const metadata = retryAfterMs === undefined ? new Metadata() : retryMetadata(retryAfterMs)
          done({ code: toStatus(problem), details: formatProblems(result.problems), metadata })
        }
      }

      function refused(problem: IngestProblem): void {
        answer({ kind: 'failed', outcome: problem.code, problems: [problem] })
      }
    }

  const { postEngagements, postPins, postCreators, postBoards, mergeUsers } = createMessageCalls(ingest)
  const definition = <Request, Response>({ method }: MessageCall<Request, Response>) => ({
    requestDeserialize: sized(`${method.name}Request`, (bytes) => method.request.decode(bytes)),
  })
  const streams = createBatchStreams(ingest, options)
  const streamDefinition = <Request, Response>(name: string, { decode }: StreamKind<Request, Response>) => ({
    requestDeserialize: sized(name, decode),
  })
  return {
    drain: streams.drain,
    definition: {
      postEngagements: { ...EventIngestService.postEngagements, ...definition(postEngagements) },
      postPins: { ...EventIngestService.postPins, ...definition(postPins) },
      postCreators: { ...EventIngestService.postCreators, ...definition(postCreators) },
      postBoards: { ...EventIngestService.postBoards, ...definition(postBoards) },
      mergeUsers: { ...EventIngestService.mergeUsers, ...definition(mergeUsers) },
      streamEngagements: {
        ...EventIngestService.streamEngagements,
        ...streamDefinition('StreamEngagementsRequest', engagementStream),
      },
      streamPins: { ...EventIngestService.streamPins, ...streamDefinition('StreamPinsRequest', pinStream) },
      streamCreators: {
        ...EventIngestService.streamCreators,
        ...streamDefinition('StreamCreatorsRequest', creatorStream),
      },
      streamBoards: { ...EventIngestService.streamBoards, ...streamDefinition('StreamBoardsRequest', boardStream) },
    },
    implementation: {
      postEngagements: handler(postEngagements),
      postPins: handler(postPins),
      postCreators: handler(postCreators),
      postBoards: handler(postBoards),
      mergeUsers: handler(mergeUsers),
      streamEngagements: streams.serve(engagementStream),
      streamPins: streams.serve(pinStream),
      streamCreators: streams.serve(creatorStream),
      streamBoards: streams.serve(boardStream),
    },
    rules: ingestRules,
  }
}
