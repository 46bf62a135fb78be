import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import { biasedSource } from '@freshet/ranking/model/testing'
import { describe, expect, it } from 'vitest'
import { aRanker, aRequest } from './testing.ts'

const call = { timeoutMs: 1_000 }
const factorsOf = (factors: Readonly<Record<string, number>>) => ({
  heads: Object.keys(factors),
  factors: bytesOf(Float32Array.from(Object.values(factors))),
})
const utilitiesOf = ({ utilities }: RankResponse): Float32Array => float32Column(utilities)

describe('factors on heads', () => {
  it('change the utility by the weight of the head, keep the probabilities, and are in the answer', async () => {
    const { ranker, catalogue, log, close } = await aRanker({}, { source: biasedSource('one', 0) })
    await catalogue(10)
    await ranker.start()
    await log.drain()
    const plain = await ranker.rank(aRequest(10), call)
    const headFactors = factorsOf({ save: 1.5 })
    const changed = await ranker.rank(aRequest(10, { headFactors }), call)
    expect(changed.probabilities).toEqual(plain.probabilities)
    expect(changed.headFactors).toEqual(headFactors)
    const saves = float32Column(plain.probabilities).subarray(10)
    for (let row = 0; row < 10; row++)
      expect(utilitiesOf(changed)[row]! - utilitiesOf(plain)[row]!).toBeCloseTo(3 * 0.5 * saves[row]!, 5)
    await close()
  })

  it('change no bit if there are none, or all are 1', async () => {
    const { ranker, catalogue, log, close } = await aRanker()
    await catalogue(70)
    await ranker.start()
    await log.drain()
    const plain = await ranker.rank(aRequest(70), call)
    expect(plain.headFactors).toBeUndefined()
    expect(await ranker.rank(aRequest(70, { headFactors: factorsOf({}) }), call)).toEqual(plain)
    const ones = factorsOf({ save: 1, click: 1 })
    expect(await ranker.rank(aRequest(70, { headFactors: ones }), call)).toEqual({ ...plain, headFactors: ones })
    await close()
  })

  it('do nothing to a model without heads, and the answer says so', async () => {
    const { ranker, close } = await aRanker({}, { source: specFileSource(null) })
    const answer = await ranker.rank(aRequest(2, { headFactors: factorsOf({ save: 2 }) }), call)
    expect(answer).toMatchObject({ modelVersion: 'home-untrained', headFactors: undefined })
    await close()
  })

  it.each([
    [
      factorsOf({ love: 2 }),
      /head_factors.heads\[0\] is "love", which is not a head of the model one; its heads are click, save/,
    ],
    [factorsOf({ save: 0 }), /head_factors.factors\[0\] is 0; give a number from/],
    [factorsOf({ save: NaN }), /head_factors.factors\[0\] is NaN/],
    [{ heads: ['save', 'save'], factors: new Uint8Array(8) }, /head_factors/],
    [{ heads: ['save'], factors: new Uint8Array(3) }, /head_factors.factors has 3 bytes; 1 heads need 4 each/],
    [{ heads: [' '], factors: bytesOf(Float32Array.of(1)) }, /head_factors.heads\[0\]/],
  ])('are refused by field: %o', async (headFactors, message) => {
    const { ranker, close } = await aRanker({}, { source: biasedSource('one', 0) })
    const asked = ranker.rank(aRequest(2, { headFactors }), call)
    await expect(asked).rejects.toMatchObject({
      code: 'CALL_INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    })
    await close()
  })
})
