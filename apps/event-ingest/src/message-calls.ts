import {
  MergeUsersRequest,
  MergeUsersResponse,
  PostBoardsRequest,
  PostBoardsResponse,
  PostCreatorsRequest,
  PostCreatorsResponse,
  PostEngagementsRequest,
  PostEngagementsResponse,
  PostPinsRequest,
  PostPinsResponse,
  type Receipt as ReceiptMessage,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { unitFault } from '@freshet/contracts/json/time'
import type { MethodCodecs } from '@freshet/contracts/ports/method'
import type { IngestCall } from './append.ts'
import { clockOffsetFault } from './event-time.ts'
import type { Answer, Ingest, Receipt } from './ingest.ts'
import { parseBoardMessage, parseCreatorMessage, parseEngagementMessage, parsePinMessage } from './messages.ts'

type Taken = Extract<Answer, { kind: 'taken' }>

/** The result of a call: the response, or everything that is wrong if no event was accepted. `outcome` is its name in metrics. */
export type CallResult<Response> =
  | { readonly kind: 'accepted'; readonly response: Response }
  | {
      readonly kind: 'failed'
      readonly outcome: string
      readonly problems: readonly [IngestProblem, ...IngestProblem[]]
    }

/** The size of a request in bytes, its trace and its deadline. */
export interface AboutCall {
  readonly bytes: number
  readonly call: IngestCall
}

/** A call of `EventIngest`: its messages, and what it does. */
export interface MessageCall<Request, Response> {
  readonly method: MethodCodecs<Request, Response>
  take(request: Request, about: AboutCall): Promise<CallResult<Response>>
}

/** The calls of the service `freshet.ingest.v1.EventIngest`. gRPC and Connect serve them. */
export interface MessageCalls {
  readonly postEngagements: MessageCall<PostEngagementsRequest, PostEngagementsResponse>
  readonly postPins: MessageCall<PostPinsRequest, PostPinsResponse>
  readonly postCreators: MessageCall<PostCreatorsRequest, PostCreatorsResponse>
  readonly postBoards: MessageCall<PostBoardsRequest, PostBoardsResponse>
  readonly mergeUsers: MessageCall<MergeUsersRequest, MergeUsersResponse>
}

/** Creates the calls, which translate between messages and `Ingest`. */
export function createMessageCalls(ingest: Ingest): MessageCalls {
  return {
    postEngagements: {
      method: {
        name: 'PostEngagements',
        request: PostEngagementsRequest,
        response: PostEngagementsResponse,
        reads: false,
      },
      async take(request, about) {
        return resultOf(await takeEngagementMessages(ingest, request, about), ({ receipts, receivedAtMs, notice }) => ({
          receipts: receipts.map(toReceiptMessage),
          receivedAtMs,
          notice,
        }))
      },
    },
    postPins: {
      method: { name: 'PostPins', request: PostPinsRequest, response: PostPinsResponse, reads: false },
      async take(request, about) {
        return resultOf(await takePinMessages(ingest, request, about), onlyReceipts)
      },
    },
    postCreators: {
      method: { name: 'PostCreators', request: PostCreatorsRequest, response: PostCreatorsResponse, reads: false },
      async take(request, about) {
        return resultOf(await takeCreatorMessages(ingest, request, about), onlyReceipts)
      },
    },
    postBoards: {
      method: { name: 'PostBoards', request: PostBoardsRequest, response: PostBoardsResponse, reads: false },
      async take(request, about) {
        return resultOf(await takeBoardMessages(ingest, request, about), onlyReceipts)
      },
    },
    mergeUsers: {
      method: { name: 'MergeUsers', request: MergeUsersRequest, response: MergeUsersResponse, reads: false },
      async take({ fromUserId, intoUserId, occurredAtMs }, { call }) {
        const fault = timeFault(occurredAtMs)
        if (fault !== null) return failed(problemAt('', 'occurredAt', fault.code, fault.text))
        const merge = { fromUserId, intoUserId, occurredAtMs: occurredAtMs ?? null }
        return resultOf(await ingest.mergeUsers(merge, call), ({ receipts: [receipt], receivedAtMs, notice }) => ({
          token: receipt !== undefined && 'token' in receipt ? receipt.token : '',
          receivedAtMs,
          notice,
        }))
      },
    },
  }
}

/** Takes a batch of engagements in messages, of a unary call or of a stream. */
export async function takeEngagementMessages(
  ingest: Ingest,
  { engagements, sentAtMs, clockOffsetMs = 0 }: PostEngagementsRequest,
  about: AboutCall,
): Promise<Answer> {
  const sentFault = timeFault(sentAtMs)
  if (sentFault !== null) return refused(problemAt('', 'sentAt', sentFault.code, sentFault.text))
  const offsetFault = clockOffsetFault(clockOffsetMs)
  if (offsetFault !== null) return refused(problemAt('', 'clockOffsetMs', offsetFault.code, offsetFault.text))
  const clock = { sentAtMs: sentAtMs ?? null, offsetMs: clockOffsetMs }
  return ingest.takeEngagements({ events: engagements, read: parseEngagementMessage, single: false, clock, ...about })
}

/** Takes a batch of catalogue changes in messages, of a unary call or of a stream. */
export function takePinMessages(ingest: Ingest, { pins }: PostPinsRequest, about: AboutCall): Promise<Answer> {
  return ingest.takePins({ events: pins, read: parsePinMessage, single: false, ...about })
}

/** Takes a batch of changes of creators in messages, of a unary call or of a stream. */
export function takeCreatorMessages(
  ingest: Ingest,
  { creators }: PostCreatorsRequest,
  about: AboutCall,
): Promise<Answer> {
  return ingest.takeCreators({ events: creators, read: parseCreatorMessage, single: false, ...about })
}

/** Takes a batch of changes of boards in messages, of a unary call or of a stream. */
export function takeBoardMessages(ingest: Ingest, { boards }: PostBoardsRequest, about: AboutCall): Promise<Answer> {
  return ingest.takeBoards({ events: boards, read: parseBoardMessage, single: false, ...about })
}

/** Errors are sent in headers by gRPC, whose size is limited. */
const maxDetailsCharacters = 4_000

/** All problems of a request in one text, as many as fit into the status of gRPC. */
export function formatProblems(problems: readonly IngestProblem[]): string {
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

function resultOf<Response>(answer: Answer, toMessage: (answer: Taken) => Response): CallResult<Response> {
  if (answer.kind === 'refused') return failed(answer.problem)
  if (answer.accepted > 0) return { kind: 'accepted', response: toMessage(answer) }
  const problems = answer.receipts.flatMap((receipt) => ('code' in receipt ? receipt.problems : []))
  return { kind: 'failed', outcome: 'rejected', problems: problems as [IngestProblem, ...IngestProblem[]] }
}

function onlyReceipts({ receipts }: Taken): { receipts: ReceiptMessage[] } {
  return { receipts: receipts.map(toReceiptMessage) }
}

function refused(problem: IngestProblem): Answer {
  return { kind: 'refused', problem }
}

function failed(problem: IngestProblem): CallResult<never> {
  return { kind: 'failed', outcome: problem.code, problems: [problem] }
}

/** JSON can hold a time that is not a number; gRPC cannot. */
function timeFault(timeMs: number | undefined): ReturnType<typeof unitFault> {
  if (timeMs === undefined) return null
  if (Number.isInteger(timeMs)) return unitFault(timeMs)
  return { code: 'EVENT_TIME_INVALID', text: `is ${timeMs}; give milliseconds since the epoch` }
}

/** The receipt as a message. */
export function toReceiptMessage(receipt: Receipt): ReceiptMessage {
  if ('code' in receipt) return { ...receipt, token: '', problems: [...receipt.problems] }
  return { ...receipt, code: '', message: '', field: '', problems: [] }
}
