import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a proxy does with a request. `cut`: the server gets it, the client no answer. */
export type Fault = 'none' | 'refuse' | 'cut' | 'hang' | { readonly delayMs: number } | { readonly status: number }

/** A proxy in front of an HTTP server, whose faults a test decides. */
export interface FaultProxy {
  readonly url: string
  /** Requests that came, without preflights. */
  requests(): number
  /** From now on; a function decides for each request. */
  set(fault: Fault | (() => Fault)): void
  close(): Promise<void>
}

/** Starts a proxy on a free port of 127.0.0.1. Preflights of browsers pass, except while it refuses. */
export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  let next: () => Fault = () => 'none'
  let requests = 0
  const server = createServer((request, response) => {
    const fault = next()
    // What the test has closed already.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    if (fault === 'refuse') return void request.socket.destroy()
    if (request.method === 'OPTIONS') return forward(request, response, 'none')
    requests++
    if (fault === 'hang') return void request.resume()
    if (typeof fault !== 'object') return forward(request, response, fault)
    if ('delayMs' in fault) return forward(request, response, 'none', fault.delayMs)
    request.resume()
    response.writeHead(fault.status, {
      ...{ 'content-type': 'application/json', 'access-control-allow-origin': '*' },
      ...{ 'retry-after': '1', 'access-control-expose-headers': 'retry-after' },
    })
    response.end('{"error":{"code":"FAULT","message":"a planned fault"}}')
  })
  function forward(request: IncomingMessage, response: ServerResponse, fault: 'none' | 'cut', delayMs = 0): void {
    const { method, headers } = request
    const onward = ask(new URL(request.url!, targetUrl), { method: method!, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        if (fault === 'cut') return void request.socket.destroy()
        setTimeout(() => {
          response.writeHead(answer.statusCode!, answer.headers)
          response.end(Buffer.concat(chunks))
        }, delayMs)
      })
    })
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
  }
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    set(fault) {
      next = typeof fault === 'function' ? fault : () => fault
      // Connections that are open would not notice.
      if (fault === 'refuse') server.closeAllConnections()
    },
    close() {
      server.closeAllConnections()
      return new Promise((closed) => void server.close(() => closed()))
    },
  }
}
