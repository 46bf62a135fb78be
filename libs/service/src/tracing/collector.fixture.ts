import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly service: string
  readonly name: string
  /** OTLP's number: 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  /** '': a root. */
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly startMs: number
  readonly endMs: number
  /** 2: error. */
  readonly status: number
  readonly message: string
}

/** A collector for tests: it takes OTLP over HTTP as JSON. */
export interface FakeCollector {
  readonly endpoint: string
  readonly spans: readonly CollectedSpan[]
  /** The bodies as they came. */
  readonly bodies: readonly string[]
  /** The status of further answers; 200 at first. */
  answer(status: number): void
  close(): Promise<void>
}

/** Starts a collector on a free port, or on a given one. */
export async function startCollector(port = 0): Promise<FakeCollector> {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  let status = 200
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      if (status === 200 && request.url === '/v1/traces') {
        bodies.push(text)
        spans.push(...spansIn(text))
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    answer(next) {
      status = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Pick<CollectedSpan, 'name' | 'kind' | 'traceId' | 'spanId'> & {
        readonly parentSpanId?: string
        /** Nanoseconds since the epoch, as text. */
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
        readonly attributes: readonly Attribute[]
        readonly status: { readonly code?: number; readonly message?: string }
      })[]
    }[]
  }[]
}

function spansIn(text: string): CollectedSpan[] {
  const { resourceSpans } = JSON.parse(text) as Exported
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, kind, traceId, spanId, parentSpanId = '', attributes, status, ...times }) => ({
        service: String(valuesOf(resource.attributes)['service.name']),
        ...{ name, kind, traceId, spanId, parentSpanId },
        startMs: Number(times.startTimeUnixNano) / 1e6,
        endMs: Number(times.endTimeUnixNano) / 1e6,
        attributes: valuesOf(attributes),
        status: status.code ?? 0,
        message: status.message ?? '',
      })),
    ),
  )
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
