import { isContractError } from '@freshet/contracts/errors'
import type { MessageHeaders } from '@freshet/contracts/headers'
import { problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import type { EventLog, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import type { TokenTopic } from '@freshet/contracts/tokens'
import type { Clock } from '@freshet/domain/clock'
import type { ByteRoom } from '@freshet/service/byte-room'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { CallSource } from '@freshet/service/rate-limits'
import type { Acknowledged } from './acknowledged.ts'
import type { IngestConfig } from './config.ts'

export type IngestTopic = TokenTopic | 'erasures.v1'

/** Trace, deadline and source of a request. */
export interface IngestCall {
  /** Trace context. Ingest writes it into the record of each event. */
  readonly trace: MessageHeaders
  /** Milliseconds since the epoch; null: none. After the deadline ingest appends nothing. */
  readonly deadlineMs: number | null
  /** Aborted when the client disconnects or its deadline passes. Records that have not been sent to the log then stay unsent. */
  readonly signal?: AbortSignal
  /** Where it comes from; absent: from this process, so no rate is limited. */
  readonly source?: CallSource
}

/** The records of one request. */
export interface RequestRecords {
  /** The kind of the events, for metrics. */
  readonly kind: string
  readonly topic: IngestTopic
  readonly records: readonly NewRecord[]
  /** Bytes that the request uses while it waits for the log. */
  readonly bytes: number
  readonly call: IngestCall | undefined
  /** As in `AppendOptions`. */
  readonly finalValues?: boolean
}

/** Appends all records of a request. Resolves to their positions, or to the problem that the client gets. */
export type Append = (request: RequestRecords) => Promise<readonly Position[] | IngestProblem>

interface AppendOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly report: Report
  /** Counts the bytes of requests that wait for the log. */
  readonly inFlight: ByteRoom
  /** Remembers what the log acknowledged; absent: nobody checks it. */
  readonly acknowledged?: Pick<Acknowledged, 'note'>
}

/**
 * Creates the function that appends to the log within `ingest.appendTimeoutMs`. The bytes of a request count in `inFlight`
 * until the log has answered, even if the client has got a 503 before. So memory stays bounded while the log is away.
 */
export function createAppend(options: AppendOptions): Append {
  const { log, clock, config, metrics, inFlight } = options
  const appendSeconds = metrics.histogram('freshet_ingest_append_seconds')
  const seconds = new Map<string, ReturnType<typeof appendSeconds.labels>>()
  const secondsOf = (kind: string) => {
    let ofKind = seconds.get(kind)
    if (ofKind === undefined) seconds.set(kind, (ofKind = appendSeconds.labels({ kind })))
    return ofKind
  }
  const within = createDeadlines(clock, config.appendTimeoutMs)
  return async ({ kind, topic, records, bytes, call, finalValues = false }) => {
    const { trace, deadlineMs = null, signal } = call ?? {}
    if (signal?.aborted || (deadlineMs !== null && clock.now() >= deadlineMs)) return deadlineBeforeAppend
    const release = inFlight.take(bytes)
    if (release === null) return overloaded
    const stopTimer = secondsOf(kind).startTimer()
    const appended = log.append(topic, records, {
      finalValues,
      ...(signal && { signal }),
      ...(trace && { headers: trace }),
    })
    try {
      const positions = await within(appended, release)
      stopTimer()
      options.acknowledged?.note(topic, positions)
      return positions
    } catch (error) {
      if (signal?.aborted) return deadlineDuringAppend
      return toProblem(error, { topic, events: records.length, report: options.report })
    }
  }
}

/** The problem that the client gets for a failed append; the log line says whether the log or this service is at fault. */
function toProblem(
  error: unknown,
  { topic, events, report }: { readonly topic: string; readonly events: number } & Pick<AppendOptions, 'report'>,
): IngestProblem {
  if (isContractError(error, 'LOG_RECORD_TOO_LARGE'))
    return requestProblem('BODY_TOO_LARGE', `contains an event that is too large for the log: ${error.message}`)
  if (error instanceof AppendTimeout || isContractError(error)) {
    report(error, { part: 'append', topic, outcome: 'left-out', count: events })
    const why = isContractError(error, 'LOG_FULL') ? 'has no space left on its disk' : 'does not answer'
    return requestProblem('INGEST_UNAVAILABLE', `may not have been accepted: the log ${why}; ${sendAgain}`)
  }
  report(error, { part: 'append', topic, outcome: 'defect', count: events })
  return requestProblem('INGEST_INTERNAL', `failed because of a defect in the service; ${sendAgain}`)
}

const sendAgain = 'send the same event ids again'
const overloaded = requestProblem(
  'INGEST_OVERLOADED',
  'was not accepted: too many bytes are waiting for the log; send it again',
)
const deadlineBeforeAppend = requestProblem(
  'INGEST_DEADLINE_EXCEEDED',
  `was not accepted: its deadline passed before ingest sent it to the log; ${sendAgain}`,
)
const deadlineDuringAppend = requestProblem(
  'INGEST_DEADLINE_EXCEEDED',
  `may not have been accepted: its deadline passed before the log answered; ${sendAgain}`,
)

function requestProblem(code: IngestCode, text: string): IngestProblem {
  return problemAt('', 'the request', code, text)
}

class AppendTimeout extends Error {}

/** An append that the log has not answered. */
interface Waiting {
  /** The step of the clock at which it is late. */
  readonly dueStep: number
  isSettled: boolean
  readonly reject: (error: Error) => void
}

const longestStepMs = 50

/**
 * Creates the function that rejects with an AppendTimeout if a promise does not settle within `timeoutMs`, or a step of at most 50 ms
 * later; `onSettled` is called when it has, however late. All appends wait by the same steps of the clock, because a timer and a signal
 * for each request would cost more than the append of a batch.
 */
function createDeadlines(
  clock: Clock,
  timeoutMs: number,
): <T>(promise: Promise<T>, onSettled: () => void) => Promise<T> {
  const stepMs = Math.max(1, Math.min(longestStepMs, timeoutMs / 4))
  const patience = Math.ceil(timeoutMs / stepMs)
  /** In the order in which they are due. */
  let waiting: Waiting[] = []
  let step = 0
  let isWatching = false
  const watch = async (): Promise<void> => {
    isWatching = true
    while (waiting.length > 0) {
      await clock.sleep(stepMs)
      step++
      waiting = waiting.filter(({ isSettled }) => !isSettled)
      for (const each of waiting) {
        if (each.dueStep > step) break
        each.isSettled = true
        each.reject(new AppendTimeout(`no acknowledgement within ${timeoutMs} ms`))
      }
    }
    isWatching = false
  }
  return <T>(promise: Promise<T>, onSettled: () => void) =>
    new Promise<T>((resolve, reject) => {
      // The step under way is nearly over, perhaps.
      const each: Waiting = { dueStep: step + patience + (isWatching ? 1 : 0), isSettled: false, reject }
      waiting.push(each)
      if (!isWatching) void watch()
      promise.then(
        (value) => {
          each.isSettled = true
          onSettled()
          resolve(value)
        },
        (error: unknown) => {
          each.isSettled = true
          onSettled()
          reject(error instanceof Error ? error : new Error('an append failed', { cause: error }))
        },
      )
    })
}
