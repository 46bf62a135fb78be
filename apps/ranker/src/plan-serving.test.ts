import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { specTextSource } from '@freshet/ranking/model/spec-file'
import { deepSpecText, linearSpecText, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { describe, expect, it } from 'vitest'
import { aRankerWithModels, deep, linear } from './testing-models.ts'
import { aRanker, aRequest, featuresOf } from './testing.ts'

const call = { timeoutMs: 1_000 }

describe('a ranker of plans', () => {
  it('serves an untrained spec in the ranking language in the order of retrieval, with the features of its plan', async () => {
    const source = specTextSource('home.rank', linearSpecText('fresh'))
    const { ranker, log, catalogue, close } = await aRanker({}, { source })
    await catalogue(10)
    await ranker.start()
    await log.drain()
    const answer = await ranker.rank(aRequest(10), call)
    expect(answer).toMatchObject({ modelVersion: 'fresh-untrained', actions: [], probabilities: new Uint8Array() })
    expect(answer.utilities).toEqual(aRequest(10).retrievalScores)
    expect(answer.featureNames).toEqual(['retrieval_score', 'topic_affinity', 'pin_age', 'user_click_rate'])
    expect(featuresOf(answer, 3)).toMatchObject({ retrieval_score: Math.fround(0.2), pin_age: 24 })
    expect((await ranker.rank(aRequest(0), call)).utilities).toHaveLength(0)
    await close()
  })

  it('gives a caller in its process the features of the candidates that it chooses, in place of columns of all', async () => {
    const { ranker, log, catalogue, promote, close } = await aRankerWithModels()
    await catalogue(10)
    await ranker.start()
    await log.drain()
    await promote(deep, 'deep-1')
    const { features, facts, ...columns } = await ranker.rank(aRequest(10), call)
    const { readRows, ...answer } = await ranker.rank(aRequest(10), { ...call, readsRows: true })
    expect(columns.readRows).toBeUndefined()
    expect(answer).toEqual({ ...columns, features: new Uint8Array(), facts: [] })
    expect(readRows!(Int32Array.from({ length: 10 }, (_, row) => row))).toEqual({ features, facts })
    expect(readRows!(Int32Array.of(7)).features).toEqual(
      features.slice(7 * 4 * answer.featureNames.length).slice(0, 4 * answer.featureNames.length),
    )
    const bare = await ranker.rank({ ...aRequest(10), withFeatures: false }, { ...call, readsRows: true })
    expect(bare.readRows).toBeUndefined()
    await close()
  })

  it('scores with a trained linear plan and a trained DCN, a candidate with the same bits among any others', async () => {
    const { ranker, log, catalogue, promote, close, errors } = await aRankerWithModels()
    await catalogue(70)
    await ranker.start()
    await log.drain()
    for (const [model, version] of [
      [linear, 'lin-1'],
      [deep, 'deep-1'],
    ] as const) {
      await promote(model, version)
      const pinIds = Array.from({ length: 70 }, (_, n) => `p${n}`)
      const all = aRequest(70, { pinIds, locale: 'de', sources: ['trending', 'popularity'], foundBy: bytesOfBits(70) })
      const answer = await ranker.rank(all, call)
      expect(answer).toMatchObject({ modelVersion: version, actions: ['click'] })
      expect(float32Column(answer.probabilities)).toHaveLength(70)
      const scores = float32Column(answer.utilities)
      expect(new Set(scores).size).toBeGreaterThan(30)
      const rows = [69, 3, 3, 41]
      const some = await ranker.rank(
        {
          ...all,
          pinIds: rows.map((row) => pinIds[row]!),
          retrievalScores: rowsOf(all.retrievalScores, rows),
          foundBy: rowsOf(all.foundBy, rows),
        },
        call,
      )
      expect([...float32Column(some.utilities)]).toEqual(rows.map((row) => scores[row]))
    }
    expect(errors).toEqual([])
    await close()
  })

  it('answers amounts, exposed values and what it read about the pins; the utility weighs probabilities and amounts', async () => {
    const { ranker, log, catalogue, promote, close } = await aRankerWithModels()
    await catalogue(4)
    await ranker.start()
    await log.drain()
    const spec = deepSpecText.replace('click: probability = linear(trunk)', 'click: probability = score')
    const text = `${spec}feature old = log1p(pin.age)\nlayer score = linear(trunk)\nexpose old, score\n`
    await promote(randomModel(planOfText(text), 3), 'deep-1')
    const answer = await ranker.rank(aRequest(0, { pinIds: ['p0', 'p3', 'nobody', 'p1'] }), call)
    expect(answer).toMatchObject({ actions: ['click'], amountNames: ['dwell'], exposedNames: ['old', 'score'] })
    const [utilities, clicks, dwells] = [answer.utilities, answer.probabilities, answer.amounts].map((b) =>
      float32Column(b),
    )
    for (const [row, utility] of utilities!.entries())
      expect(utility).toBeCloseTo(2 * clicks![row]! + 0.1 * dwells![row]!, 5)
    const exposed = float32Column(answer.exposed)
    expect(exposed).toHaveLength(8)
    expect(exposed[0]).toBe(Math.fround(Math.log1p(24)))
    expect(exposed.every(Number.isFinite)).toBe(true)
    expect(answer.facts).toEqual([
      { name: 'pin.creator', texts: ['c0', 'c3', 'c1'], counts: bytesOf(Uint16Array.of(1, 1, 0, 1)) },
      { name: 'pin.topics', texts: ['t0', 't3', 't1'], counts: bytesOf(Uint16Array.of(1, 1, 0, 1)) },
    ])
    const bare = await ranker.rank(aRequest(2, { withFeatures: false }), call)
    expect(bare).toMatchObject({ featureNames: [], facts: [], exposedNames: [], exposed: new Uint8Array() })
    expect(float32Column(bare.amounts)).toHaveLength(2)
    await close()
  })

  it('gives only the best candidates of the first phase to the model, and the others come after them in its order', async () => {
    const { ranker, log, catalogue, promote, close } = await aRankerWithModels()
    await catalogue(20)
    await ranker.start()
    await log.drain()
    const text = `${linearSpecText('phased')}first phase keep 5 by candidate.retrieval_score\nexpose candidate.retrieval_score\n`
    await promote(randomModel(planOfText(text), 4), 'phased-1')
    const scores = Float32Array.from({ length: 20 }, (_, row) => ((7 * row) % 20) / 20)
    const answer = await ranker.rank(aRequest(20, { retrievalScores: bytesOf(scores) }), call)
    const byScore = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
    const clicks = float32Column(answer.probabilities)
    expect(byScore.map((row) => clicks[row]! > 0)).toEqual(byScore.map((_, place) => place < 5))
    const utilities = float32Column(answer.utilities)
    const byUtility = [...utilities.keys()].sort((a, b) => utilities[b]! - utilities[a]!)
    expect(new Set(byUtility.slice(0, 5))).toEqual(new Set(byScore.slice(0, 5)))
    expect(byUtility.slice(5)).toEqual(byScore.slice(5))
    expect(float32Column(answer.exposed)).toEqual(scores)
    await close()
  })
})

/** For each of so many candidates 1, 2 or both sources. */
function bytesOfBits(candidates: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: candidates }, (_, row) => 1 + (row % 3)).buffer)
}

/** Some rows of a column of four bytes a row. */
function rowsOf(column: Uint8Array, rows: readonly number[]): Uint8Array {
  return Uint8Array.from(rows.flatMap((row) => [...column.subarray(4 * row, 4 * row + 4)]))
}
