import type { Clock } from '@freshet/domain/clock'
import type { TraceHeaders, Tracing } from '@freshet/domain/tracing'
import { ServiceError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Report } from '../reporting.ts'
import { activeTrace, decidedAnew, runInTrace, spanTimeMs } from './active-trace.ts'
import { createSpanQueue } from './span-queue.ts'
import { tracesUrl, type TracingConfig } from './tracing-settings.ts'

/** Tracing of a process. */
export interface OpenTracing extends Tracing {
  /** Sends what waits, for at most two seconds. */
  close(): Promise<void>
}

/** How long a stop waits for the collector. */
const flushMs = 2_000

/** Passes traces on and shows them in log lines, but records none. */
const passesOn: Omit<OpenTracing, 'entering'> = {
  records: false,
  start: () => null,
  run: runInTrace,
  active: activeTrace,
  nowMs: spanTimeMs,
  close: async () => undefined,
}

/**
 * Opens tracing as the settings say. Without an endpoint it loads nothing and records nothing. Spans are sent in the
 * background. When the collector does not take them they are lost and counted, and the log says so once for each outage.
 */
export async function openTracing({
  name,
  version,
  instance,
  config,
  metrics,
  report,
  clock,
}: {
  readonly name: string
  readonly version: string
  /** Distinguishes the processes of a service: the name of the host or pod. */
  readonly instance: string
  readonly config: TracingConfig
  readonly metrics: Metrics
  readonly report: Report
  readonly clock: Clock
}): Promise<OpenTracing> {
  const entering =
    (isRecorded: () => boolean) =>
    (trace: TraceHeaders): TraceHeaders =>
      config.trustCallers ? trace : decidedAnew(trace, isRecorded)
  if (config.endpoint === '') return { ...passesOn, entering: entering(() => false) }
  const { createRecorder, otlpSender } = await import('./recorder.ts')
  const counted = metrics.counter('freshet_trace_spans_total')
  const url = tracesUrl(config.endpoint)
  const queue = createSpanQueue({
    send: otlpSender(url),
    onSpans: (outcome, count) => counted.inc({ outcome }, count),
    onChange(error) {
      if (error === null) return
      const message = `the collector at ${new URL(url).host} does not take spans: they are lost, and counted in freshet_trace_spans_total{outcome="failed"}; check tracing.endpoint`
      report(new ServiceError('TRACES_LOST', message, { cause: error }), { part: 'tracing', outcome: 'left-out' })
    },
    clock,
  })
  const { recorder, draw } = createRecorder({ name, version, instance, sampleRatio: config.sampleRatio, queue })
  return { ...recorder, entering: entering(draw), close: () => queue.flush(flushMs) }
}
