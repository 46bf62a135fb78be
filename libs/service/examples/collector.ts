/**
 * A collector for one's own machine: it takes spans by OTLP over HTTP at port 4318 and prints each trace as a tree.
 * `npx node libs/service/examples/collector.ts`
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCollector, type CollectedSpan } from '../src/tracing/collector.fixture.ts'

/** A trace is printed when nothing has come for so long. Services send their spans every second. */
const quietMs = 2_500

const collector = await startCollector(4318)
process.stdout.write(`spans go to --tracing.endpoint ${collector.endpoint}\n`)
for (let printed = 0; ;) {
  const before = collector.spans.length
  await sleep(quietMs)
  if (collector.spans.length === before && before > printed) {
    print(collector.spans.slice(printed))
    printed = before
  }
}

function print(spans: readonly CollectedSpan[]): void {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  for (const traceId of new Set(spans.map((span) => span.traceId))) {
    process.stdout.write(`\ntrace ${traceId}\n`)
    const ofTrace = spans.filter((span) => span.traceId === traceId).sort((a, b) => a.startMs - b.startMs)
    const below = (parent: (span: CollectedSpan) => boolean, depth: number): void => {
      for (const span of ofTrace.filter(parent)) {
        const { name, startMs, endMs, spanId, message, attributes } = span
        // In the one-process edition the process is not the service.
        const named = attributes['freshet.service']
        const service = typeof named === 'string' ? named : span.service
        const took = `${(endMs - startMs).toFixed(1)} ms`.padStart(10)
        process.stdout.write(
          `${took}  ${'  '.repeat(depth)}${name} (${service})${message === '' ? '' : `: ${message}`}\n`,
        )
        below(({ parentSpanId }) => parentSpanId === spanId, depth + 1)
      }
    }
    below(({ parentSpanId }) => !ids.has(parentSpanId), 0)
  }
}
