import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { openAccess } from '@freshet/access/access'
import { createMetrics } from '@freshet/service/metrics'
import { z } from 'zod'
import { createConsoleApp, type ConsoleOptions } from './app.ts'
import type { Demo } from './demo.ts'
import { createAskUpstream } from './proxy/ask.ts'
import { createForward } from './proxy/forward.ts'
import { openConnections, type Certificates, type Upstream } from './proxy/upstreams.ts'
import { consoleSettings } from './settings.ts'

/** A server that answers as `answer` does, and its address. */
export async function anUpstream(
  name: string,
  answer: RequestListener,
): Promise<{ upstream: Upstream; close(): void }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { upstream: { name, url: `http://127.0.0.1:${port}` }, close }
}

/** A console with some upstreams, and a page of three files. */
export function aConsole({
  settings = {},
  upstreams = {},
  certificates = null,
  ...given
}: Partial<Omit<ConsoleOptions, 'upstreams'>> & {
  readonly settings?: object
  readonly certificates?: Certificates | null
  readonly upstreams?: Partial<ConsoleOptions['upstreams']>
} = {}) {
  const config = z.object(consoleSettings(0)).parse(settings)
  const connections = openConnections(certificates)
  const nobody: Upstream = { name: 'nobody', url: 'http://127.0.0.1:9' }
  const app = createConsoleApp({
    access: openAccess,
    config,
    version: '1',
    upstreams: { events: nobody, feeds: nobody, admin: nobody, operations: new Map(), ...upstreams },
    forward: createForward(connections, config),
    ask: createAskUpstream(connections, config.timeoutMs),
    more: [],
    page: async () => ({ problem: 'no page' }),
    demo: null,
    metrics: createMetrics(),
    nowMs: () => performance.now(),
    onDefect: (error) => {
      throw error
    },
    tls: null,
    ...given,
  })
  return { app, close: async () => (connections.close(), app.close()) }
}

/** A demo with one picture, `cat`. */
export const aDemo: Demo = {
  users: [{ userId: 'u1', name: 'Ada', likes: ['animals'], locale: 'de' }],
  locales: ['de', 'en'],
  attributions: [],
  pictures: {
    svg: (pinId) => (pinId === 'cat' ? '<svg xmlns="http://www.w3.org/2000/svg"/>' : null),
    embed: async (_pinId, { x, y, width, height }) => Float32Array.of(x, y, width, height),
    title: (pinId, locale) => (pinId === 'cat' ? (locale === 'de' ? 'Katze' : 'cat') : null),
    search: (words, _locale, limit) => (words === 'cat' ? ['cat'].slice(0, limit) : []),
    topicName: (topic, locale) => `${topic} in ${locale}`,
  },
}

/** Asks for a path as it is, where `fetch` would resolve dots and send no body. */
export function rawGet(
  url: string,
  path: string,
  body = '',
): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const headers = body === '' ? {} : { 'content-length': body.length }
    request({ hostname, port, path, headers, agent: false }, (answer) => {
      text(answer).then((content) => resolve({ status: answer.statusCode ?? 0, body: content }), reject)
    })
      .once('error', reject)
      .end(body)
  })
}
