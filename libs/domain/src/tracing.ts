/** Headers that carry a trace: `traceparent` and `tracestate` of W3C Trace Context. Without `traceparent` there is no trace. */
export type TraceHeaders = Readonly<Record<string, string>>

/** Facts about the work of a span. They never contain ids of users, pins or events. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** What a span is about: `server` answers a call, `client` makes one, `producer` appends to the log, `consumer` folds from it. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** The description of a span when it starts. */
export interface SpanStart {
  /** What is done, without ids: `GetFeed`, `fold engagements.v1`. */
  readonly name: string
  readonly kind: SpanKind
  /** What caused the work. */
  readonly parent: TraceHeaders
  /** Whether requests enter Freshet here: only there a share of the requests without a trace gets one. */
  readonly entry?: boolean
  readonly attributes?: SpanAttributes
  /** When it started, milliseconds since the epoch; absent: now. */
  readonly startMs?: number
}

/** A span that is recorded. */
export interface Span {
  /** What the calls and records that this work leads to carry. One frozen object. */
  readonly headers: TraceHeaders
  set(attributes: SpanAttributes): void
  /** Ends the span. `failure`: the thrown value or the error code of a failed work; absent or null: it succeeded. `endMs`: absent: now. */
  end(failure?: unknown, endMs?: number): void
}

/** The ids of a trace and of the span at work in it, in hexadecimal digits. */
export interface TraceIds {
  readonly traceId: string
  readonly spanId: string
  /** Whether the trace is recorded. */
  readonly sampled: boolean
}

/** Records traces. */
export interface Tracing {
  /** Whether any trace may be recorded. Whoever would have to look at every record need not look when it is false. */
  readonly records: boolean
  /** The trace of a request that enters Freshet: that of its caller, with the decision of Freshet whether it is recorded if callers are not trusted to decide. */
  entering(trace: TraceHeaders): TraceHeaders
  /** Starts a span; null: the trace is not recorded, so no span exists and what `parent` says is passed on. */
  start(span: SpanStart): Span | null
  /** Runs something with this trace as the active one. Log lines and exemplars take their ids from the active trace. */
  run<Result>(trace: TraceHeaders, work: () => Result): Result
  /** The active trace; null: none. */
  active(): TraceIds | null
  /** The time of spans, milliseconds since the epoch, with fractions. For spans of what is over. */
  nowMs(): number
}

/** Records nothing. */
export const noTracing: Tracing = {
  records: false,
  entering: (trace) => trace,
  start: () => null,
  run: (_trace, work) => work(),
  active: () => null,
  nowMs: () => 0,
}

/** Does work in a span. It gets the headers to pass on and the span; null: none is recorded. */
export async function inSpan<Result>(
  tracing: Tracing,
  start: SpanStart,
  work: (headers: TraceHeaders, span: Span | null) => Promise<Result>,
): Promise<Result> {
  const span = tracing.start(start)
  if (span === null) return tracing.run(start.parent, () => work(start.parent, null))
  try {
    const result = await tracing.run(span.headers, () => work(span.headers, span))
    span.end()
    return result
  } catch (error) {
    span.end(error)
    throw error
  }
}

/** The error code of a failure: its `code`, its name, or the text itself. The message stays out, because it may name users. */
export function codeOfFailure(failure: unknown): string {
  if (typeof failure === 'string') return failure
  const { code, name } = (failure ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'UNKNOWN'
}
