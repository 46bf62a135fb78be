import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An event-ingest that accepts everything. */
export interface IngestStub {
  readonly url: string
  /** The events in the order of their arrival, repeats included. */
  readonly events: readonly { readonly eventId: string; readonly [field: string]: unknown }[]
  /** Bytes of all bodies. */
  bodyBytes(): number
  close(): void
}

/** Starts it, for pages of any origin. */
export async function startIngestStub(): Promise<IngestStub> {
  const events: { readonly eventId: string }[] = []
  let bodyBytes = 0
  const cors = {
    ...{ 'access-control-allow-origin': '*', 'access-control-allow-headers': 'content-type' },
    'access-control-max-age': '600',
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      response.writeHead(request.method === 'POST' ? 202 : 204, cors)
      if (request.method !== 'POST') return void response.end()
      bodyBytes += body.length
      const { engagements } = JSON.parse(body) as { readonly engagements: readonly { readonly eventId: string }[] }
      events.push(...engagements)
      response.end(JSON.stringify({ receipts: engagements.map(({ eventId: id }) => ({ id, token: 'e0-1' })) }))
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    bodyBytes: () => bodyBytes,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
