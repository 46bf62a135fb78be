import {
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace,
  type Context,
  type Span as OtelSpan,
  type Tracer,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  BasicTracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type ReadableSpan,
  type TracerConfig,
} from '@opentelemetry/sdk-trace-node'
import { codeOfFailure, type Span, type SpanKind, type TraceHeaders, type Tracing } from '@freshet/domain/tracing'
import { activeTrace, runInTrace, spanTimeMs, traceIds } from './active-trace.ts'
import type { SpanQueue, SpanQueueOptions } from './span-queue.ts'

const kinds: Readonly<Record<SpanKind, OtelKind>> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
  internal: OtelKind.INTERNAL,
}

/** How long one attempt to send a batch may take, its repetitions included. */
const exportTimeoutMs = 5_000

/** What records spans, and decides for requests. */
export interface Recorder {
  readonly recorder: Omit<Tracing, 'entering'>
  /** Whether `sampleRatio` lets one more request be recorded. */
  draw(): boolean
}

/** Records spans by the OpenTelemetry SDK and puts them into `queue` when they end. */
export function createRecorder({
  name,
  version,
  instance,
  sampleRatio,
  queue,
}: {
  readonly name: string
  readonly version: string
  readonly instance: string
  readonly sampleRatio: number
  readonly queue: Pick<SpanQueue<ReadableSpan>, 'add'>
}): Recorder {
  const ratio = new TraceIdRatioBasedSampler(sampleRatio)
  const ids = new RandomIdGenerator()
  const provider = new BasicTracerProvider({
    resource: resourceOf({
      'service.namespace': 'freshet',
      'service.name': name,
      'service.version': version,
      'service.instance.id': instance,
    }),
    sampler: new ParentBasedSampler({ root: ratio }),
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => queue.add(span),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      },
    ],
  })
  const tracer: Tracer = provider.getTracer('freshet', version)
  const recorder: Recorder['recorder'] = {
    records: true,
    active: activeTrace,
    nowMs: spanTimeMs,
    run: runInTrace,
    start({ name: what, kind, parent, entry = false, attributes = {}, startMs }) {
      const context = contextOf(parent)
      if (context === null || (context === ROOT_CONTEXT && !entry)) return null
      const start = {
        kind: kinds[kind],
        attributes: { ...attributes },
        ...(startMs !== undefined && { startTime: startMs }),
      }
      const span = tracer.startSpan(what, start, context)
      return span.isRecording() ? recorded(span) : null
    },
  }
  // By an id of its own, because callers choose theirs.
  const draw = (): boolean =>
    ratio.shouldSample(ROOT_CONTEXT, ids.generateTraceId()).decision === SamplingDecision.RECORD_AND_SAMPLED
  return { recorder, draw }
}

type Resource = NonNullable<TracerConfig['resource']>

/** A resource with exactly these attributes. */
function resourceOf(attributes: Readonly<Record<string, string>>): Resource {
  return {
    attributes,
    getRawAttributes: () => Object.entries(attributes),
    merge: (other) => resourceOf({ ...attributes, ...(other?.attributes as typeof attributes | undefined) }),
  }
}

/** The context of a parent that is recorded, the root for none; null: the parent is not recorded. */
function contextOf(parent: TraceHeaders): Context | null {
  const ids = traceIds(parent)
  if (ids === null) return ROOT_CONTEXT
  if (!ids.sampled) return null
  const { traceId, spanId } = ids
  const state = parent['tracestate']
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true },
    ...(state !== undefined && { traceState: createTraceState(state) }),
  })
}

function recorded(span: OtelSpan): Span {
  const { traceId, spanId, traceState } = span.spanContext()
  const state = traceState?.serialize() ?? ''
  return {
    headers: Object.freeze({
      traceparent: `00-${traceId}-${spanId}-01`,
      ...(state !== '' && { tracestate: state }),
    }),
    set: (attributes) => void span.setAttributes({ ...attributes }),
    end(failure, endMs) {
      if (failure !== undefined && failure !== null) {
        const code = codeOfFailure(failure)
        span.setStatus({ code: SpanStatusCode.ERROR, message: code })
        span.setAttribute('error.type', code)
      }
      span.end(endMs)
    },
  }
}

/** Sends spans to a collector by OTLP over HTTP. */
export function otlpSender(url: string): SpanQueueOptions<ReadableSpan>['send'] {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs })
  return (spans, done) =>
    // A result without an error is a success.
    exporter.export([...spans], ({ error }) => done(error ?? null))
}
