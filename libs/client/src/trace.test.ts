import { describe, expect, it } from 'vitest'
import { createFreshet } from './node.ts'

const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** The header of each request of a client that tracks an event and asks for a feed. */
async function sent(
  traceparent: () => string | undefined,
): Promise<readonly (readonly [path: string, trace: unknown])[]> {
  const headers: (readonly [string, unknown])[] = []
  const client = createFreshet({
    ...{ ingestUrl: 'http://ingest', feedUrl: 'http://feed', traceparent },
    environment: {
      fetch: (url, init) => {
        headers.push([new URL(url).pathname, (init.headers as Record<string, string>)['traceparent']])
        const { engagements = [] } = JSON.parse(init.body as string) as { engagements?: readonly unknown[] }
        const receipts = engagements.map(() => ({ token: 'e0-1' }))
        return Promise.resolve(
          new Response(JSON.stringify({ receipts, receivedAt: new Date().toISOString(), items: [] })),
        )
      },
    },
  })
  await client.click('p1', { userId: 'u1' })
  await client.feed({ userId: 'u1' })
  expect(client.counts()).toMatchObject({ accepted: 1 })
  await client.close()
  return headers
}

describe('the trace of the caller in Node', () => {
  it('goes with events and with requests for feeds', async () => {
    expect(await sent(() => trace)).toEqual([
      ['/v1/engagements', trace],
      ['/v1/feed', trace],
    ])
  })

  it.each([
    ['there is none', () => undefined],
    ['it has another form', () => 'no trace\n'],
    [
      'the function fails',
      () => {
        throw new Error('broken')
      },
    ],
  ])('is left out, and nothing is lost, if %s', async (_, traceparent) => {
    expect((await sent(traceparent)).map(([, header]) => header)).toEqual([undefined, undefined])
  })
})
