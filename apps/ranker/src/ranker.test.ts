import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { encodePinFeatures } from '@freshet/contracts/codecs/pin-state'
import { PinFeatures } from '@freshet/contracts/gen/freshet/state/v1/state'
import { encodeMessage } from '@freshet/contracts/bytes/wire'
import { newPinState } from '@freshet/domain/pin-state'
import { noonMs } from '@freshet/domain/testing'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { observe } from './observe.ts'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import { aPinRecord, aRanker, aRequest, aStateRecord, featuresOf } from './testing.ts'

const call = { timeoutMs: 1_000 }

describe('ranker', () => {
  it('answers utilities, probabilities and the features that it used, in the order of the request', async () => {
    const { ranker, log, catalogue, close } = await aRanker()
    await catalogue(10)
    await ranker.start()
    await log.drain()
    const answer = await ranker.rank(aRequest(10), call)
    expect(answer).toMatchObject({
      actions: ['closeup', 'click', 'save', 'hide'],
      modelVersion: 'home-3',
      planVersion: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      fresh: true,
    })
    expect(float32Column(answer.utilities)).toHaveLength(10)
    expect(float32Column(answer.probabilities)).toHaveLength(40)
    expect(float32Column(answer.features)).toHaveLength(10 * answer.featureNames.length)
    expect(featuresOf(answer, 0)).toMatchObject({ seen_before: 1, retrieval_score: 0.5, pin_age: 24, pin_users: 0 })
    expect(featuresOf(answer, 4)).toMatchObject({
      seen_before: 0,
      pin_smoothed_click_rate: expect.closeTo(0.4866, 3) as number,
    })
    await close()
  })

  it('keeps the order of retrieval with the spec that ships, as long as no model is trained', async () => {
    const { ranker, log, catalogue, close } = await aRanker({}, { source: specFileSource(null) })
    await catalogue(10)
    await ranker.start()
    await log.drain()
    const request = aRequest(10)
    const answer = await ranker.rank(request, call)
    expect(answer).toMatchObject({ modelVersion: 'home-untrained', actions: [] })
    expect(float32Column(answer.utilities)).toEqual(float32Column(request.retrievalScores))
    expect(featuresOf(answer, 0)).toMatchObject({ seen_before: 1, retrieval_score: 0.5 })
    await close()
  })

  it('sends no features unless asked, and scores the same', async () => {
    const { ranker, log, catalogue, close } = await aRanker()
    await catalogue(5)
    await ranker.start()
    await log.drain()
    const full = await ranker.rank(aRequest(5), call)
    const bare = await ranker.rank(aRequest(5, { withFeatures: false }), call)
    expect(bare).toEqual({ ...full, featureNames: [], features: new Uint8Array() })
    await close()
  })

  it('gives a candidate the same bytes alone, in any order and among any other candidates', async () => {
    const { ranker, log, catalogue, close } = await aRanker()
    await catalogue(70)
    await ranker.start()
    await log.drain()
    const pinIds = Array.from({ length: 70 }, (_, n) => `p${n}`)
    const scoreOf = (pinId: string): number => (pinId === 'never' ? 0.1 : 1 / (2 + Number(pinId.slice(1))))
    const rank = async (ids: readonly string[]) => {
      const retrievalScores = bytesOf(Float32Array.from(ids, scoreOf))
      const { utilities, features } = await ranker.rank(aRequest(0, { pinIds: [...ids], retrievalScores }), call)
      const [worth, numbers] = [float32Column(utilities), float32Column(features)]
      const width = numbers.length / ids.length
      return new Map(ids.map((id, at) => [id, [worth[at], ...numbers.subarray(at * width, (at + 1) * width)]]))
    }
    const whole = await rank(pinIds)
    for (const ids of [[...pinIds].reverse(), pinIds.slice(3, 20), ['p69'], ['p5', 'never', 'p6'], ['p1', 'p1']])
      for (const [id, numbers] of await rank(ids)) if (id !== 'never') expect(numbers).toEqual(whole.get(id))
    await close()
  })

  it('ranks unknown users, unknown pins and an empty page with missing values', async () => {
    const { ranker, close } = await aRanker()
    await ranker.start()
    const request = aRequest(2, { userState: new Uint8Array(), pinIds: ['nobody', 'knows'] })
    const answer = await ranker.rank(request, call)
    expect(featuresOf(answer, 1)).toMatchObject({
      topic_affinity: 0,
      seen_before: 0,
      pin_age: 0,
      pin_smoothed_click_rate: expect.closeTo(0.02, 6) as number,
      user_click_rate: expect.closeTo(0.02, 6) as number,
    })
    expect(float32Column(answer.utilities).every(Number.isFinite)).toBe(true)
    expect((await ranker.rank(aRequest(0), call)).utilities).toHaveLength(0)
    await close()
  })

  it('ranks a pin whose state is damaged as one without state, counts it, and takes its next record', async () => {
    const { ranker, log, append, close } = await aRanker()
    await append('pins.v1', 'p0', aPinRecord('p0'))
    const damaged = encodeMessage(PinFeatures, {
      pinId: 'p0',
      state: Uint8Array.of(255, 255, 255),
      foldedTo: 1,
      foldVersion: 0,
    })
    await append('pin-features.v1', 'p0', damaged)
    await ranker.start()
    await log.drain()
    for (let asked = 0; asked < 3; asked++)
      expect(featuresOf(await ranker.rank(aRequest(2), call), 0)).toMatchObject({ pin_age: 24, pin_users: 0 })
    expect(ranker.stats().rejected).toEqual({ CODEC_INVALID: 1 })
    await append('pin-features.v1', 'p0', aStateRecord('p0', 2, 2))
    await log.drain()
    expect(featuresOf(await ranker.rank(aRequest(1), call), 0)['pin_users']).toBeGreaterThan(0)
    await close()
  })

  it('is ready when its views have caught up, and then follows the log', async () => {
    const { ranker, log, catalogue, append, close } = await aRanker()
    await catalogue(20)
    expect(ranker.unready()).toBe('the views have not started to read the log')
    expect(await ranker.lag()).toBe(0)
    await ranker.start()
    expect(ranker.unready()).toMatch(/the views are catching up: \d of 6 partitions are behind/)
    await log.drain()
    expect(ranker.unready()).toBeNull()
    expect(await ranker.lag()).toBe(0)
    expect(ranker.known('late')).toEqual({ pin: null, state: null })
    await append('pins.v1', 'late', aPinRecord('late', 3))
    await append('pin-features.v1', 'late', aStateRecord('late', 2))
    await log.drain()
    expect(ranker.known('late')).toMatchObject({ pin: { pinId: 'late', topics: ['t3'] }, state: { lastAtMs: noonMs } })
    expect(ranker.unready()).toBeNull()
    await close()
  })

  it('waits for the positions of a request until they are folded or its time minus the reserve is over', async () => {
    const { ranker, log, clock, append, close } = await aRanker({ answerReserveMs: 20 })
    await ranker.start()
    const [placed] = await append('pins.v1', 'p0', aPinRecord('p0'))
    const wanted = { topic: 'pins.v1', partition: placed!.partition, position: placed!.position + 1 }
    const soon = ranker.rank(aRequest(1, { await: [wanted] }), call)
    await log.drain()
    expect(await soon).toMatchObject({ fresh: true })
    const late = ranker.rank(aRequest(1, { await: [{ ...wanted, position: 99 }] }), { timeoutMs: 100 })
    expect(clock.nextWake()).toBe(noonMs + 80)
    await clock.advance(80)
    expect(await late).toMatchObject({ fresh: false })
    expect(float32Column((await late).utilities)).toHaveLength(1)
    await close()
  })

  it('ends a call that its caller cancelled, before or during the wait', async () => {
    const { ranker, close } = await aRanker()
    await ranker.start()
    const ending = new AbortController()
    const await99 = [{ topic: 'pins.v1', partition: 0, position: 99 }]
    const waiting = ranker.rank(aRequest(1, { await: await99 }), { timeoutMs: 1_000, signal: ending.signal })
    ending.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CALL_CANCELLED' })
    await expect(ranker.rank(aRequest(1), { timeoutMs: 1, signal: ending.signal })).rejects.toMatchObject({
      code: 'CALL_CANCELLED',
    })
    await close()
  })

  it('ranks pins beyond its cap without their features, warns, counts them, and keeps its memory bounded', async () => {
    const { ranker, log, catalogue, close } = await aRanker({ maxPins: 10, maxDecodedStates: 4 })
    await catalogue(200)
    await ranker.start()
    await log.drain()
    const answer = await ranker.rank(aRequest(200), call)
    expect(float32Column(answer.utilities)).toHaveLength(200)
    const { pins, states, refused } = ranker.stats()
    expect([pins, states]).toEqual([10, 10])
    expect(refused).toBeGreaterThan(0)
    expect(ranker.warning()).toBe(`there was no room for ${refused} records beside 10 pins and 10 states (maxPins)`)
    await close()
  })

  it('answers with the data that it has while the log is down, and warns', async () => {
    const { log, clock, ranker, catalogue, close } = await aRanker({}, { onLogReplaced: () => undefined })
    await catalogue(3)
    expect(ranker.warning()).toMatch(/the log does not answer/)
    await ranker.start()
    await log.drain()
    await clock.advance(1)
    expect(ranker.warning()).toBeNull()
    await ranker.stop()
    await clock.advance(60_000)
    expect(ranker.warning()).toMatch(/has not answered for/)
    expect(float32Column((await ranker.rank(aRequest(3), call)).utilities)).toHaveLength(3)
    await close()
  })

  it('reports its views and its model to metrics', async () => {
    const { ranker, log, catalogue, append, close } = await aRanker()
    await catalogue(6)
    await append('pins.v1', 'bad', Uint8Array.of(255))
    await append('pin-features.v1', 'q', encodePinFeatures('q', newPinState, 1).features)
    await ranker.start()
    await log.drain()
    const metrics = createMetrics()
    observe(ranker, metrics)
    const { plan } = ranker.model()
    const text = await metrics.text()
    for (const line of [
      'freshet_view_rows{service="ranker",view="pins"} 6',
      'freshet_view_rows{service="ranker",view="states"} 5',
      'freshet_view_lag_records{service="ranker"} 0',
      'freshet_view_rejected_records{service="ranker",reason="CODEC_INVALID"} 1',
      `freshet_ranker_model{model="home-3",plan="${plan}"} 1`,
      'freshet_ranker_model_swaps{outcome="refused"} 0',
    ])
      expect(text).toContain(line)
    await close()
  })
})
