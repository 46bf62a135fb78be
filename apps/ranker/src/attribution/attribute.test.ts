import { expect, test } from 'vitest'
import { float32Column, float64Column } from '@freshet/contracts/bytes/columns'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { aRanker, aRequest } from '../testing.ts'

const call = { timeoutMs: 1_000 }

/** A ranker of the linear spec, and the record of a feed that it scored. */
async function scored() {
  const made = await aRanker()
  await made.catalogue(6)
  await made.ranker.start()
  await made.log.drain()
  const request = aRequest(6)
  const answer = await made.ranker.rank(request, call)
  const { pinIds, retrievalScores, atMs, userId } = request
  const { featureNames, features, facts, actions, probabilities, utilities, modelVersion, planVersion } = answer
  const served = FeedServed.fromPartial({
    ...{ pinIds, retrievalScores, atMs, userId, featureNames, features, facts, actions, probabilities, utilities },
    ...{ modelVersion, versions: { rankingPlan: planVersion } },
  })
  const attributed = (of: FeedServed, pins: readonly string[]) =>
    made.ranker.attribute({ feedServed: FeedServed.encode(of).finish(), pinIds: [...pins] }, call)
  return { served, attributed, close: made.close }
}

test('in a linear head, base and contributions add up to the logit; parts of the utility add up to it', async () => {
  const { served, attributed, close } = await scored()
  const pins = [served.pinIds[4]!, served.pinIds[1]!]
  const got = await attributed(served, pins)
  expect(got).toMatchObject({ problem: '', heads: served.actions, featureNames: served.featureNames })
  expect(got.method).toContain('ablation')
  const { heads, featureNames } = got
  const [contributions, bases, scores] = [got.contributions, got.bases, got.scores].map(float64Column)
  const [parts, ofUtility] = [float64Column(got.utilityParts), float64Column(got.utilityContributions)]
  expect(contributions!.some((each) => Math.abs(each) > 0.1)).toBe(true)
  expect(ofUtility).toHaveLength(pins.length * featureNames.length)
  for (const [at, row] of [4, 1].entries()) {
    for (let head = 0; head < heads.length; head++) {
      const place = at * heads.length + head
      const own = contributions!.subarray(place * featureNames.length, (place + 1) * featureNames.length)
      const p = float32Column(served.probabilities)[head * served.pinIds.length + row]!
      expect(own.reduce((sum, each) => sum + each, bases![place]!)).toBeCloseTo(Math.log(p / (1 - p)), 3)
      expect(scores![place]).toBeCloseTo(Math.log(p / (1 - p)), 5)
    }
    const total = parts.subarray(at * heads.length, (at + 1) * heads.length).reduce((sum, each) => sum + each, 0)
    expect(total).toBeCloseTo(float32Column(served.utilities)[row]!, 4)
  }
  await close()
})

test('the answer says why there are no contributions; a pin that is not on the page is an error', async () => {
  const { served, attributed, close } = await scored()
  const pins = [served.pinIds[0]!]
  expect((await attributed({ ...served, modelVersion: 'old-1' }, pins)).problem).toContain('no longer holds')
  expect((await attributed({ ...served, modelVersion: '' }, pins)).problem).toBe('nothing was ranked')
  expect((await attributed({ ...served, featureNames: [] }, pins)).problem).toContain('has no features')
  await expect(attributed(served, ['elsewhere'])).rejects.toThrow('pin_ids[0] is "elsewhere", which is not on the page')
  await expect(attributed(served, [])).rejects.toThrow('pin_ids holds 0 entries; give 1–100')
  await close()
})
