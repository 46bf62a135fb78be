import { afterEach, describe, expect, it } from 'vitest'
import { openAccess } from '@freshet/access/access'
import { anonymousCaller } from '@freshet/access/caller'
import { aConsole, anUpstream } from './console.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const pin = (pinId: string, utility: number, save: number) => ({
  pinId,
  utility,
  heads: [{ head: 'save', value: 0.1, utilityPart: save }],
  ordering: [{ name: 'diversity', value: null }],
})
const explanation = { contributionProblem: '', pins: [pin('a', 2, 0.5), pin('b', 1, 1)] }

/** A console in front of a blender that answers with `answers` in turn, and the requests that came. */
async function started(...answers: readonly (readonly [status: number, body: object])[]) {
  const seen: { readonly url: string | undefined; readonly key: unknown; readonly body: string }[] = []
  const { upstream, close } = await anUpstream('feeds', (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const [status, answer] = answers[Math.min(seen.length, answers.length - 1)]!
      seen.push({ url: request.url, key: request.headers['freshet-key'], body })
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  closing.push(close)
  const { app, close: closeApp } = aConsole({ upstreams: { feeds: upstream } })
  closing.push(closeApp)
  const reorder = async (payload: object, key = 'fa_1') => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/console/reorder',
      payload,
      headers: { 'freshet-key': key },
    })
    return [answer.statusCode, JSON.parse(answer.body) as unknown] as const
  }
  const freshness = async (query: string) => {
    const answer = await app.inject(`/api/console/freshness?${query}`)
    return [answer.statusCode, JSON.parse(answer.body) as unknown] as const
  }
  return { app, seen, reorder, freshness }
}

describe('another order of a feed', () => {
  it('comes from what the blender explains to the caller, asked once for each feed and caller', async () => {
    const { seen, reorder } = await started([200, explanation])
    const asServed = await reorder({ feedId: 'f1' })
    expect(asServed).toMatchObject([200, { feedId: 'f1', problem: '', items: [{ pinId: 'a' }, { pinId: 'b' }] }])
    expect(await reorder({ feedId: 'f1', weights: { save: 3 } })).toMatchObject([
      200,
      {
        items: [
          { pinId: 'a', utility: 3 },
          { pinId: 'b', utility: 3 },
        ],
      },
    ])
    expect(await reorder({ feedId: 'f1', weights: { save: 4 } })).toMatchObject([
      200,
      {
        items: [
          { pinId: 'b', from: 1, to: 0, utility: 4 },
          { pinId: 'a', from: 0, to: 1, utility: 3.5 },
        ],
      },
    ])
    expect(seen).toEqual([{ url: '/v1/explain', key: 'fa_1', body: '{"feedId":"f1"}' }])
    await reorder({ feedId: 'f1' }, 'fa_2')
    expect(seen.map(({ key }) => key)).toEqual(['fa_1', 'fa_2'])
  })

  it('is refused as the blender refuses it, which is asked again afterwards', async () => {
    const missing = { error: { code: 'FEED_MISSING', field: '', message: 'no', retryable: false } }
    const { reorder } = await started([404, missing], [200, explanation])
    expect(await reorder({ feedId: 'f1' })).toEqual([404, missing])
    expect(await reorder({ feedId: 'f1' })).toMatchObject([200, { feedId: 'f1' }])
  })

  it.each([
    [{}],
    [{ feedId: 'f', diversity: -1 }],
    [{ feedId: 'f', weights: { save: 'x' } }],
    [{ feedId: 'f', more: 1 }],
  ])('is not made from %j', async (body) => {
    const { reorder } = await started([200, explanation])
    expect(await reorder(body)).toMatchObject([400, { error: { code: 'CALL_INVALID_ARGUMENT' } }])
  })

  it('is for callers who may read for everybody', async () => {
    const { app, close } = aConsole({
      access: {
        ...openAccess,
        open: false,
        identify: () => ({ caller: anonymousCaller, signature: null, origins: null }),
      },
    })
    closing.push(close)
    const reordered = await app.inject({ method: 'POST', url: '/api/console/reorder', payload: { feedId: 'f' } })
    const fresh = await app.inject('/api/console/freshness?userId=u&token=e0-1')
    expect([reordered.statusCode, fresh.statusCode]).toEqual([401, 401])
  })
})

describe('freshness', () => {
  const behind = [200, { freshness: 'FRESHNESS_BEHIND' }] as const
  const current = [200, { freshness: 'FRESHNESS_CURRENT' }] as const

  it('is the time until the blender reflects the token', async () => {
    const { seen, freshness } = await started(behind, current)
    const [status, answer] = await freshness('userId=u&token=e0-1-abc')
    expect([status, answer]).toMatchObject([200, { token: 'e0-1-abc', reflected: true }])
    expect((answer as { featureMs: number }).featureMs).toBeGreaterThan(0)
    expect(seen.map(({ url, body }) => [url, JSON.parse(body) as unknown])).toEqual([
      ['/v1/rank', { userId: 'u', pinIds: ['-'], after: ['e0-1-abc'] }],
      ['/v1/rank', { userId: 'u', pinIds: ['-'], after: ['e0-1-abc'] }],
    ])
  })

  it('gives up when the event is never reflected', async () => {
    const { freshness } = await started(behind)
    expect(await freshness('userId=u&token=e0-1')).toMatchObject([200, { reflected: false }])
  })

  it('needs a token', async () => {
    const { freshness } = await started(current)
    expect(await freshness('userId=u&token=x')).toMatchObject([400, { error: { code: 'CALL_INVALID_ARGUMENT' } }])
  })
})
