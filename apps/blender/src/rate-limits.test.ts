import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createMetrics } from '@freshet/service/metrics'
import { createRateLimits } from '@freshet/service/rate-limits'
import { limitConfigOf } from '@freshet/service/rate-settings'
import { silentReport } from '@freshet/service/reporting'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callLimitSettings } from './config.ts'
import { httpAppOf } from './serving.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe('rates of calls', () => {
  it('are refused with 429 and the time to wait, by user, on the JSON routes and by the Connect protocol', async () => {
    const asked: string[] = []
    const blender = aFakeBlender({
      getFeed: ({ userId }) => {
        asked.push(userId)
        return Promise.resolve(GetFeedResponse.fromPartial({}))
      },
    })
    const rates = createRateLimits({
      name: 'test',
      config: limitConfigOf(z.object(callLimitSettings).parse({ userRate: 0.5, userBurst: 2 })),
      clock: { now: () => 1_700_000_000_000, sleep: () => Promise.resolve() },
      shared: null,
      ownSecret: new Uint8Array(32),
      metrics: createMetrics(),
      report: silentReport,
    })
    const app = httpAppOf(blender, { closing, onDefect: () => undefined, rates })
    const ask = (url: string, userId: string) =>
      app.inject({ method: 'POST', url, payload: { userId }, remoteAddress: '192.0.2.1' })
    expect((await ask('/v1/feed', 'ada')).statusCode).toBe(200)
    expect((await ask('/v1/feed', 'ada')).statusCode).toBe(200)
    const refused = await ask('/v1/feed', 'ada')
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '2'])
    expect(refused.json()).toMatchObject({ error: { code: 'CALL_RATE_LIMITED', retryable: true } })
    const connect = await ask('/freshet.blending.v1.Blender/GetFeed', 'ada')
    expect([connect.statusCode, connect.headers['retry-after']]).toEqual([429, '2'])
    expect(connect.json()).toMatchObject({ code: 'resource_exhausted' })
    expect((await ask('/v1/feed', 'bob')).statusCode).toBe(200)
    expect(asked).toEqual(['ada', 'ada', 'bob'])
  })
})
