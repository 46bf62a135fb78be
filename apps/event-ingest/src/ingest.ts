import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { UserErasure } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { ParsedEngagement } from '@freshet/contracts/json/engagement'
import { idFault } from '@freshet/contracts/json/fields'
import type { ParsedPin } from '@freshet/contracts/json/pin'
import { problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { logTag } from '@freshet/contracts/followed-log'
import type { LogWatch } from '@freshet/contracts/log-watch'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { EventLog, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import { formatToken } from '@freshet/contracts/tokens'
import type { Clock } from '@freshet/domain/clock'
import { createByteRoom, type ByteRoom } from '@freshet/service/byte-room'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { IngestConfig } from './config.ts'
import { clockShiftMs, takenTime, timedEngagement, type ClientClock } from './event-time.ts'

/** What became of one event: its token once the log has it, or everything that is wrong with it, the first problem by itself too. `id` is as it was sent, as far as it was a string. */
export type Receipt =
  | { readonly id: string; readonly token: string }
  | ({ readonly id: string; readonly problems: readonly IngestProblem[] } & IngestProblem)

/** What became of a request: a receipt for each event, or nothing was taken. `notice`: why engagements that were taken do not take effect yet; empty: they do. */
export type Answer =
  | {
      readonly kind: 'taken'
      readonly receipts: readonly Receipt[]
      readonly accepted: number
      /** When the request arrived, milliseconds since the epoch: clients find out from it how far their clock is off. */
      readonly receivedAtMs: number
      readonly notice: string
    }
  | { readonly kind: 'refused'; readonly problem: IngestProblem }

/** Events as a protocol's translator hands them over. */
export interface Batch<Parsed> {
  readonly events: readonly unknown[]
  /** Reads one event; `at` names it, e.g. `engagements[3]`. */
  readonly read: (event: unknown, at: string) => Parsed
  /** The request holds one event and not a list: fields are named without a place. */
  readonly single: boolean
  /** What the request weighs while it waits for the log. */
  readonly bytes: number
  /** How it was asked for; absent: by nobody who gives up, without a trace. */
  readonly call?: IngestCall
}

/** What a request says besides its events. */
export interface IngestCall {
  /** Trace context: goes into the record of each event. */
  readonly trace: MessageHeaders
  /** Milliseconds since the epoch; null: none. Nothing is appended once it has passed. */
  readonly deadlineMs: number | null
  /** Aborted when the client is gone or its deadline has passed: what has not been sent to the log yet is not sent any more. */
  readonly signal?: AbortSignal
}

/** Engagements, and what their client says about its clock. */
export interface EngagementBatch extends Batch<ParsedEngagement> {
  readonly clock: ClientClock
}

/** Takes events: validate → append → tokens. It keeps nothing: an event is taken when the log has it. */
export interface Ingest {
  takeEngagements(batch: EngagementBatch): Promise<Answer>
  takePins(batch: Batch<ParsedPin>): Promise<Answer>
  /** Appends the erasure of a user. */
  eraseUser(userId: string, call?: IngestCall): Promise<Answer>
  /** Requests being received and requests that wait for the log. */
  readonly inFlight: ByteRoom
}

/** What ingest needs. */
export interface IngestOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly report: Report
  /** Why what is taken is not folded into state at present; null: it is. Absent: not known here. */
  readonly foldProblem?: () => string | null
  /** Knows which logs the tokens are of; absent: they do not say. */
  readonly watch?: Pick<LogWatch, 'id'>
}

type Kind = 'engagement' | 'pin' | 'erasure'
type Topic = 'engagements.v1' | 'pins.v1' | 'erasures.v1'
type Outcome = { readonly record: NewRecord } | { readonly problems: readonly IngestProblem[] }

const plural = { engagement: 'engagements', pin: 'pins', erasure: 'users' } as const

/** Creates the use case. */
export function createIngest(options: IngestOptions): Ingest {
  const { log, clock, config, metrics, report } = options
  const inFlight = createByteRoom(config.maxInFlightBytes, () => clock.now())
  const counted = metrics.counter('freshet_ingest_events_total')
  const appendSeconds = metrics.histogram('freshet_ingest_append_seconds')
  const skewSeconds = metrics.histogram('freshet_ingest_clock_skew_seconds')
  const held = metrics.gauge('freshet_ingest_in_flight_bytes')
  metrics.beforeScrape(() => {
    held.set(inFlight.bytes())
  })

  async function take<Parsed>(
    kind: Kind,
    topic: Topic,
    batch: Batch<Parsed>,
    check: (parsed: Parsed, at: string) => Outcome,
  ): Promise<Answer> {
    const { events } = batch
    const receivedAtMs = clock.now()
    const list = plural[kind]
    if (events.length === 0) return refuse('BATCH_EMPTY', list, 'holds no events; send at least one')
    if (events.length > config.maxBatchEvents) {
      const text = `holds ${events.length} events; send at most ${config.maxBatchEvents} in one request`
      return refuse('BATCH_TOO_LARGE', list, text)
    }

    const problems = new Map<number, readonly IngestProblem[]>()
    const records: NewRecord[] = []
    for (let i = 0; i < events.length; i++) {
      const at = batch.single ? '' : `${list}[${i}]`
      const outcome = check(batch.read(events[i], at), at)
      if ('record' in outcome) records.push(outcome.record)
      else problems.set(i, outcome.problems)
    }
    for (const [first] of problems.values()) counted.inc({ kind, outcome: (first as IngestProblem).code })

    const positions = records.length === 0 ? [] : await append(kind, topic, records, batch)
    if ('code' in positions) return { kind: 'refused', problem: positions }
    if (records.length > 0) counted.inc({ kind, outcome: 'accepted' }, records.length)

    const tag = topic === 'erasures.v1' ? '' : logTag(options.watch?.id(topic) ?? '')
    let next = 0
    const receipts = events.map((event, index): Receipt => {
      const all = problems.get(index)
      if (all !== undefined) return { id: idOf(event, kind), ...(all[0] as IngestProblem), problems: all }
      return { id: idOf(event, kind), token: tokenOf(topic, positions[next++] as Position, tag) }
    })
    const notice = kind === 'engagement' ? (options.foldProblem?.() ?? '') : ''
    return { kind: 'taken', receipts, accepted: records.length, receivedAtMs, notice }
  }

  /** Appends all records of a request, or says why it could not. The bytes count until the log has answered, even if the client got an error before: this bounds what waits while the log is away. */
  async function append(
    kind: Kind,
    topic: Topic,
    records: readonly NewRecord[],
    { bytes, call }: Pick<Batch<unknown>, 'bytes' | 'call'>,
  ): Promise<readonly Position[] | IngestProblem> {
    const { trace, deadlineMs = null, signal } = call ?? {}
    if (signal?.aborted || (deadlineMs !== null && clock.now() >= deadlineMs)) return notInTime
    const release = inFlight.take(bytes)
    if (release === null) {
      return problemAt(
        '',
        'the request',
        'INGEST_OVERLOADED',
        'was not taken: too much waits for the log; send it again',
      )
    }
    const ended = appendSeconds.startTimer({ kind })
    const appended = log
      .append(topic, records, { ...(signal && { signal }), ...(trace && { headers: trace }) })
      .finally(release)
    try {
      const positions = await within(clock, appended, config.appendTimeoutMs)
      ended()
      return positions
    } catch (error) {
      if (signal?.aborted) return perhapsTaken
      return appendProblem(error, topic, records.length)
    }
  }

  /** The client gets the error and sends again; the log line says whose fault it was. */
  function appendProblem(error: unknown, topic: Topic, events: number): IngestProblem {
    if (isContractError(error, 'LOG_RECORD_TOO_LARGE')) {
      return problemAt('', 'the request', 'BODY_TOO_LARGE', `holds an event too large for the log: ${error.message}`)
    }
    if (error instanceof NotInTime || isContractError(error)) {
      report(error, { part: 'append', topic, outcome: 'left-out', count: events })
      const why = isContractError(error, 'LOG_FULL') ? 'has no room on its disk' : 'does not answer'
      const text = `may not have been taken: the log ${why}; send the same event ids again`
      return problemAt('', 'the request', 'INGEST_UNAVAILABLE', text)
    }
    report(error, { part: 'append', topic, outcome: 'defect', count: events })
    return problemAt(
      '',
      'the request',
      'INGEST_INTERNAL',
      'failed: a defect of the service; send the same event ids again',
    )
  }

  return {
    inFlight,
    takeEngagements(batch) {
      const nowMs = clock.now()
      const shiftMs = clockShiftMs(batch.clock, nowMs, config.toleratedSkewMs)
      if (shiftMs !== 0) skewSeconds.observe(Math.abs(shiftMs) / 1000)
      const time = { nowMs, shiftMs }
      return take('engagement', 'engagements.v1', batch, (parsed, at) => {
        if (!parsed.ok) {
          const { occurredAtMs, problems } = parsed
          const late = occurredAtMs === null ? null : takenTime(occurredAtMs, at, time, config)
          return { problems: late === null || typeof late === 'number' ? problems : [...problems, late] }
        }
        const timed = timedEngagement(parsed.engagement, at, time, config)
        if ('code' in timed) return { problems: [timed] }
        return { record: { key: timed.userId, value: encodeEngagement(timed, nowMs), partition: null } }
      })
    },
    takePins(batch) {
      return take('pin', 'pins.v1', batch, (parsed, at) => {
        if (!parsed.ok) return parsed
        const { change } = parsed
        const pinId = change.kind === 'delete' ? change.pinId : change.pin.pinId
        const width = change.kind === 'delete' ? undefined : change.pin.visualEmbedding?.length
        if (width !== undefined && config.embeddingWidth !== null && width !== config.embeddingWidth) {
          const text = `has ${width} numbers; this catalogue's have ${config.embeddingWidth}`
          return { problems: [problemAt(at, 'visualEmbedding', 'EMBEDDING_INVALID', text)] }
        }
        return { record: { key: pinId, value: encodePinChange(change), partition: null } }
      })
    },
    eraseUser(userId, call) {
      const erasedAtMs = clock.now()
      const given = call === undefined ? {} : { call }
      const batch: Batch<string> = { events: [userId], read: (id) => id as string, single: true, bytes: 256, ...given }
      return take('erasure', 'erasures.v1', batch, (id) => {
        const fault = idFault(id)
        if (fault !== null) return { problems: [problemAt('', 'userId', fault.code, fault.text)] }
        return { record: { key: id, value: UserErasure.encode({ userId: id, erasedAtMs }).finish(), partition: null } }
      })
    },
  }
}

const notInTime = problemAt(
  '',
  'the request',
  'INGEST_DEADLINE_EXCEEDED',
  'was not taken: its time had passed before it came to the log; send the same event ids again',
)
const perhapsTaken = problemAt(
  '',
  'the request',
  'INGEST_DEADLINE_EXCEEDED',
  'may not have been taken: its time passed before the log answered; send the same event ids again',
)

class NotInTime extends Error {}

async function within<T>(clock: Clock, promise: Promise<T>, timeoutMs: number): Promise<T> {
  const settled = new AbortController()
  const late = clock.sleep(timeoutMs, settled.signal).then(() => {
    throw new NotInTime(`no acknowledgement within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    settled.abort()
  }
}

function refuse(code: IngestCode, field: string, text: string): Answer {
  return { kind: 'refused', problem: problemAt('', field, code, text) }
}

function tokenOf(topic: Topic, { partition, position }: Position, log: string): string {
  return topic === 'erasures.v1' ? '' : formatToken({ topic, partition, position, log })
}

function idOf(event: unknown, kind: Kind): string {
  const id =
    kind === 'erasure' ? event : (event as Record<string, unknown> | null)?.[kind === 'pin' ? 'pinId' : 'eventId']
  return typeof id === 'string' ? id.slice(0, 128).toWellFormed() : ''
}
