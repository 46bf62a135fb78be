import type { MessageHeaders } from '@freshet/contracts/headers'
import type { AppendOptions, BatchHandler, EventLog, LogBatch, NewRecord } from '@freshet/contracts/ports/event-log'
import { traceOf } from '@freshet/contracts/trace-context'
import type { Clock } from '@freshet/domain/clock'
import type { Span, SpanStart, Tracing } from '@freshet/domain/tracing'

/** At most this many traces of one append or batch get a span. */
const maxSpansAtOnce = 32
/** Records older than this continue no trace: a view that reads the log from its beginning does not belong to the requests of then. */
const maxRecordAgeMs = 600_000

/**
 * A log whose appends and batches are spans of the traces that the records carry: `append TOPIC` when they are written,
 * `fold TOPIC` when a handler has handled their batch. Records of one request share one span.
 */
export function tracedLog<Log extends EventLog>(
  log: Log,
  tracing: Tracing,
  { service, clock }: { readonly service: string; readonly clock: Pick<Clock, 'now'> },
): Log {
  if (!tracing.records) return log
  const handled = (onBatch: BatchHandler): BatchHandler => tracedHandler(onBatch, tracing, service, clock)
  return {
    ...log,
    append: (topic, records, options) => tracedAppend(log, tracing, service, { topic, records, options }),
    readGroup: (options, call) => log.readGroup({ ...options, onBatch: handled(options.onBatch) }, call),
    readAll: (options, call) => log.readAll({ ...options, onBatch: handled(options.onBatch) }, call),
  }
}

interface Appending {
  readonly topic: string
  readonly records: readonly NewRecord[]
  readonly options: AppendOptions | undefined
}

function tracedAppend(
  log: EventLog,
  tracing: Tracing,
  service: string,
  { topic, records, options = {} }: Appending,
): ReturnType<EventLog['append']> {
  const spans = createSpans(tracing, (parent, count) => ({
    ...{ name: `append ${topic}`, kind: 'producer', parent },
    attributes: {
      'freshet.service': service,
      'messaging.destination.name': topic,
      'messaging.batch.message_count': count,
    },
  }))
  const headers = options.headers && spans.of(options.headers, records.length)
  const traced = spans.ofEach(records, (record, own) => ({ ...record, headers: own }))
  const appended = log.append(topic, traced, headers === undefined ? options : { ...options, headers })
  return spans.end(appended)
}

function tracedHandler(
  onBatch: BatchHandler,
  tracing: Tracing,
  service: string,
  clock: Pick<Clock, 'now'>,
): BatchHandler {
  return (batch, signal) => {
    const { topic, partition, records } = batch
    const last = records.at(-1)
    const nowMs = clock.now()
    if (last === undefined || nowMs - last.appendedAtMs > maxRecordAgeMs) return onBatch(batch, signal)
    const spans = createSpans(tracing, (parent, count) => ({
      ...{ name: `fold ${topic}`, kind: 'consumer', parent },
      attributes: {
        'freshet.service': service,
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.batch.message_count': count,
        'freshet.batch_records': records.length,
        'freshet.waited_ms': nowMs - last.appendedAtMs,
      },
    }))
    const traced = spans.ofEach(records, (record, headers) => ({ ...record, headers }))
    const given: LogBatch = traced === records ? batch : { ...batch, records: traced }
    const only = spans.ofAll(records.length)
    const handling = () => onBatch(given, signal)
    return spans.end(only === null ? handling() : tracing.run(only.headers, handling))
  }
}

/** The spans of one append or batch. */
interface Spans {
  /** The headers of a number of records with the span that they belong to; the same headers: they have no recorded trace. */
  of(headers: MessageHeaders, count: number): MessageHeaders
  /** The records with the spans that they belong to; the same list: none has a recorded trace. */
  ofEach<Item extends { readonly headers?: MessageHeaders }>(
    records: readonly Item[],
    withHeaders: (record: Item, headers: MessageHeaders) => Item,
  ): readonly Item[]
  /** The span that all of a number of records belong to; null: there is none, so that log lines about a record never name the trace of another. */
  ofAll(count: number): Span | null
  /** Ends the spans when the work has. */
  end<Result>(work: Promise<Result>): Promise<Result>
}

function createSpans(tracing: Tracing, start: (parent: MessageHeaders, count: number) => SpanStart): Spans {
  /** By `traceparent`; null: not recorded. */
  const spans = new Map<string, Span | null>()
  /** By headers as they were. */
  const replaced = new Map<MessageHeaders, MessageHeaders>()
  let started = 0
  /** Records of `ofEach` whose trace is recorded. */
  let withTrace = 0

  function of(headers: MessageHeaders, count: number): MessageHeaders {
    const { traceparent } = headers
    if (traceparent === undefined || !isSampled(traceparent)) return headers
    let span = spans.get(traceparent)
    if (span === undefined) {
      span = started < maxSpansAtOnce ? tracing.start(start(traceOf(headers), count)) : null
      if (span !== null) started++
      spans.set(traceparent, span)
    }
    if (span === null) return headers
    let own = replaced.get(headers)
    if (own === undefined) replaced.set(headers, (own = Object.freeze({ ...headers, ...span.headers })))
    return own
  }

  return {
    of,
    ofEach(records, withHeaders) {
      const counts = new Map<string, number>()
      for (const { headers } of records) {
        const traceparent = headers?.['traceparent']
        if (traceparent !== undefined && isSampled(traceparent))
          counts.set(traceparent, (counts.get(traceparent) ?? 0) + 1)
      }
      if (counts.size === 0) return records
      return records.map((record) => {
        const { headers } = record
        if (headers === undefined) return record
        const own = of(headers, counts.get(headers['traceparent'] ?? '') ?? 0)
        if (own === headers) return record
        withTrace++
        return withHeaders(record, own)
      })
    },
    ofAll(count) {
      const all = [...spans.values()]
      return all.length === 1 && withTrace === count ? (all[0] ?? null) : null
    },
    async end(work) {
      if (started === 0) return work
      let failure: unknown
      try {
        return await work
      } catch (error) {
        failure = error
        throw error
      } finally {
        for (const span of spans.values()) span?.end(failure)
      }
    },
  }
}

/** Whether the caller records the trace: the lowest bit of the flags. */
function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(-2), 16) & 1) === 1
}
