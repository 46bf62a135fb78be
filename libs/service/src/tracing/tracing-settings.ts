import { flagSetting, numberSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Why a text is not the address of a collector; null: it is, or it is empty. */
function endpointFault(text: string): string | null {
  if (text === '') return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    return 'is not an address like http://collector:4318; OTLP over gRPC (usually port 4317) is not supported'
  if (url.search !== '' || url.hash !== '') return 'contains a query or a fragment; give only the address and a path'
  return null
}

/** Settings of traces. */
export const tracingSchema = z.object({
  endpoint: z
    .string()
    .trim()
    .superRefine((text, context) => {
      const fault = endpointFault(text)
      if (fault !== null) context.addIssue({ code: 'custom', message: fault })
    })
    .default('')
    .meta({
      description:
        'Address of an OpenTelemetry collector that takes OTLP over HTTP, for example `http://collector:4318`. The process sends spans to the path `/v1/traces` below it. Empty: no traces',
    }),
  sampleRatio: numberSetting(0.01, {
    description:
      'Share of requests without `traceparent` whose trace is recorded. A request with `traceparent` is recorded if its caller records it, unless `tracing.trustCallers` is false',
    unit: 'share',
    min: 0,
    max: 1,
  }),
  trustCallers: flagSetting(
    true,
    'Whether callers of event-ingest and blender decide by `traceparent` which of their requests are recorded. If false, `tracing.sampleRatio` decides for every request, so that clients on the internet cannot make Freshet record them all',
  ),
})

/** The type that the settings parse to. */
export type TracingConfig = z.output<typeof tracingSchema>

/** Where the spans go. */
export function tracesUrl(endpoint: string): string {
  const bare = endpoint.replace(/\/+$/, '')
  return bare.endsWith('/v1/traces') ? bare : `${bare}/v1/traces`
}
