import type { ModelSlot } from '@freshet/ranking/model/slot'
import { aModelRecord } from '@freshet/ranking/registry/testing'
import { noPinFacts, unknownPage } from '@freshet/ranking/serving/page'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { overlapAtTop, rankCorrelation } from './agreement.ts'
import { createShadow } from './shadow.ts'

const floats = fc
  .array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 40 })
  .map((numbers) => Float32Array.from(numbers))

describe('agreement of two orders', () => {
  it('is complete for any rising function of the utilities, and the correlation changes its sign when one is reversed', () => {
    fc.assert(
      fc.property(floats, fc.integer({ min: 1, max: 30 }), (a, count) => {
        const rising = a.map((value) => 3 * value + 1)
        expect(overlapAtTop(a, rising, count)).toBe(1)
        const correlation = rankCorrelation(a, rising)
        if (correlation === null) {
          expect(new Set(a).size).toBe(1)
          return
        }
        expect(correlation).toBeCloseTo(1, 9)
        expect(
          rankCorrelation(
            a,
            a.map((value) => -value),
          ),
        ).toBeCloseTo(-1, 9)
      }),
    )
  })

  it('agrees with figures by hand', () => {
    // Ranks 0 1 2 3 against 0 2 1 3: 1 − 6·2 / (4·15)
    expect(rankCorrelation(Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 3, 2, 4))).toBeCloseTo(0.8, 9)
    // Ranks 0.5 0.5 2 against 0 1 2
    expect(rankCorrelation(Float32Array.of(5, 5, 9), Float32Array.of(1, 2, 3))).toBeCloseTo(Math.sqrt(0.75), 9)
    expect(overlapAtTop(Float32Array.of(4, 3, 2, 1), Float32Array.of(4, 1, 2, 3), 2)).toBe(0.5)
  })
})

const heads = [{ name: 'save', kind: 'probability' }] as const

/** A model that gives these utilities, and everywhere the same probability. */
function aModel(version: string, utilities: readonly number[], save: number): ServingModel {
  const scores = (): PageScores => ({
    utilities: Float32Array.from(utilities),
    predictions: new Float32Array(utilities.length).fill(save),
    features: new Float32Array(),
    facts: [],
    exposed: new Float32Array(),
    deviations: null,
    readRows: () => ({ features: new Float32Array(), facts: [] }),
  })
  return {
    version,
    planVersion: 'plan',
    heads,
    featureNames: [],
    pinInputs: [],
    exposedNames: [],
    firstPhaseKeep: null,
    trained: new Map(),
    score: scores,
    rescore: scores,
    dispose: () => undefined,
  }
}

function aShadow(model: ServingModel, share = 1) {
  const waiting: (() => void)[] = []
  const errors: Error[] = []
  const slot = { use: (work: (model: ServingModel) => unknown) => work(model) } as Pick<ModelSlot, 'use'> as ModelSlot
  let side: { record: ReturnType<typeof aModelRecord>; slot: ModelSlot } | null = {
    record: aModelRecord({ version: model.version, stage: 'shadow', share }),
    slot,
  }
  const shadow = createShadow({
    current: () => side,
    facts: noPinFacts,
    pause: () => new Promise((resolve) => void waiting.push(resolve)),
    onError: (error) => errors.push(error),
  })
  const release = async (): Promise<void> => {
    for (const resolve of waiting.splice(0)) resolve()
    await shadow.idle()
  }
  return { shadow, errors, release, end: () => void (side = null) }
}

const serving = aModel('home-1', [4, 3, 2, 1], 0.25)
const page = { ...unknownPage(4), user: null }
const scores = serving.score(page, noPinFacts)

describe('a shadow', () => {
  it('scores after the answer, and compares order and mean predictions', async () => {
    const { shadow, release } = aShadow(aModel('home-2', [1, 2, 3, 4], 0.5))
    shadow.offer(page, serving, scores)
    expect(shadow.report()).toMatchObject({ pages: 0, overlap: null, correlation: null, predictions: {} })
    await release()
    expect(shadow.report()).toEqual({
      version: 'home-2',
      serving: 'home-1',
      share: 1,
      pages: 1,
      failed: 0,
      skipped: 0,
      overlap: 1,
      correlation: -1,
      predictions: { save: { serving: 0.25, shadow: 0.5 } },
    })
  })

  it('takes its share of the requests, always the same ones', async () => {
    const chosen = async (): Promise<readonly number[]> => {
      const { shadow, release } = aShadow(aModel('home-2', [1, 2, 3, 4], 0.5), 0.2)
      const found: number[] = []
      for (let at = 0; at < 1_000; at++) {
        const before = shadow.report()!.pages
        shadow.offer({ ...page, atMs: at }, serving, scores)
        await release()
        if (shadow.report()!.pages > before) found.push(at)
      }
      return found
    }
    const first = await chosen()
    expect(first.length).toBeGreaterThan(150)
    expect(first.length).toBeLessThan(250)
    expect(await chosen()).toEqual(first)
  })

  it('lets one page wait at a time, and counts the others', async () => {
    const { shadow, release } = aShadow(aModel('home-2', [1, 2, 3, 4], 0.5))
    for (let n = 0; n < 3; n++) shadow.offer(page, serving, scores)
    await release()
    expect(shadow.report()).toMatchObject({ pages: 1, skipped: 2 })
  })

  it('counts its failures, reports the first, and goes on', async () => {
    const broken = aModel('home-2', [1, 2, 3, 4], 0.5)
    const fail = (): never => {
      throw new Error('no memory')
    }
    const { shadow, release, errors } = aShadow({ ...broken, score: fail })
    for (let n = 0; n < 3; n++) {
      shadow.offer(page, serving, scores)
      await release()
    }
    expect(shadow.report()).toMatchObject({ pages: 0, failed: 3 })
    expect(errors.map(({ message }) => message)).toEqual(['the shadow home-2 failed: no memory'])
  })

  it('begins again when another model serves, and ends with its record', async () => {
    const { shadow, release, end } = aShadow(aModel('home-2', [1, 2, 3, 4], 0.5))
    shadow.offer(page, serving, scores)
    await release()
    shadow.offer(page, { ...serving, version: 'home-3' }, scores)
    await release()
    expect(shadow.report()).toMatchObject({ serving: 'home-3', pages: 1 })
    shadow.offer(page, serving, scores)
    end()
    await release()
    expect(shadow.report()).toBeNull()
  })
})
