import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { ModelRecord } from '@freshet/domain/model-record'
import { noonMs } from '@freshet/domain/testing'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import { specTextSource } from '@freshet/ranking/model/spec-file'
import type { TrainedModel } from '@freshet/ranking/model/trained-model'
import { artefactOf, deepSpecText, linearSpecText, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { describe, expect, it } from 'vitest'
import { aRanker, aRequest, featuresOf } from './testing.ts'

const call = { timeoutMs: 1_000 }
const linear = randomModel(planOfText(linearSpecText('lin')), 1)
const deep = randomModel(planOfText(deepSpecText), 2)

/** A ranker with a registry and a store of models. */
async function aRankerWithModels(...given: Parameters<typeof aRanker>) {
  const store = createMemoryArtefactStore()
  const started = await aRanker(given[0], { ...given[1], artefacts: store })
  let atMs = noonMs
  const record = async (
    fields: Omit<
      ModelRecord,
      'reason' | 'atMs' | 'trainedAtMs' | 'parentVersion' | 'trainingRows' | 'results' | 'share'
    >,
  ): Promise<void> => {
    const rest = {
      reason: 'test',
      atMs: ++atMs,
      trainedAtMs: noonMs,
      parentVersion: null,
      trainingRows: 1,
      results: [],
      share: 0,
    }
    await started.log.append('models.v1', [encodeModelRecord({ ...rest, ...fields })])
    await started.log.drain()
  }
  return {
    ...started,
    store,
    /** Stores a model and makes it the one that serves. */
    async promote(model: TrainedModel, version: string, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
      const { bytes, record: known } = artefactOf(model, version)
      await store.put(artefactName('home', version), change(bytes))
      await record({ ...known, stage: 'serving' })
    },
    retire: (version: string, model: TrainedModel) =>
      record({ ...artefactOf(model, version).record, stage: 'retired' }),
  }
}

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

  it('swaps from a spec in JSON to plans and back without a failed call, each answer from one model only', async () => {
    const { ranker, log, catalogue, promote, retire, close } = await aRankerWithModels()
    await catalogue(30)
    await ranker.start()
    await log.drain()
    const contentOf = ({ utilities, probabilities, featureNames, actions }: RankResponse): string =>
      JSON.stringify([[...float32Column(utilities)], [...float32Column(probabilities)], featureNames, actions])
    const builtIn = ranker.model().version
    const wholly = new Map<string, string>()
    const broken = { ...linear, parameters: { ...linear.parameters, fitted: new Map() } }
    const swaps = [
      () => promote(linear, 'lin-1'),
      () => promote(deep, 'deep-1'),
      () => promote(broken, 'broken-1'),
      () => retire('broken-1', broken),
      () => retire('deep-1', deep),
      () => retire('lin-1', linear),
    ]
    const answers: RankResponse[] = []
    let swapping = true
    const ask = async (): Promise<void> => {
      while (swapping) {
        answers.push(await ranker.rank(aRequest(30), call))
        await new Promise(setImmediate)
      }
    }
    const asking = Array.from({ length: 6 }, ask)
    for (let round = 0; round < 2; round++)
      for (const swap of swaps) {
        await swap()
        const answer = await ranker.rank(aRequest(30), call)
        wholly.set(answer.modelVersion, contentOf(answer))
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      }
    swapping = false
    await Promise.all(asking)
    expect([...wholly.keys()].sort()).toEqual(['deep-1', builtIn, 'lin-1'].sort())
    expect(new Set(answers.map(({ modelVersion }) => modelVersion))).toEqual(new Set(wholly.keys()))
    for (const answer of answers) expect(contentOf(answer)).toBe(wholly.get(answer.modelVersion))
    expect(ranker.model()).toMatchObject({ version: builtIn, swapped: 8, refused: 2 })
    expect(answers.length).toBeGreaterThan(60)
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

  it('refuses a model that does not fit by name, and serves the old one', async () => {
    const { ranker, log, promote, close, errors } = await aRankerWithModels()
    await ranker.start()
    await log.drain()
    await promote(linear, 'lin-1')
    const broken = { ...linear, parameters: { ...linear.parameters, fitted: new Map() } }
    await promote(broken, 'lin-2')
    expect(errors).toMatchObject([{ code: 'MODEL_WEIGHTS_MISFIT' }])
    expect(ranker.warning()).toMatch(
      /lin-2 was refused, and lin-1 continues to serve: .*age \(standardise\) has no statistics/,
    )
    expect((await ranker.rank(aRequest(3), call)).modelVersion).toBe('lin-1')
    await promote(linear, 'lin-3', (bytes) => bytes.slice(0, 100))
    expect(errors.at(-1)).toMatchObject({ code: 'MODEL_ARTEFACT_TRUNCATED' })
    expect((await ranker.rank(aRequest(3), call)).modelVersion).toBe('lin-1')
    await promote(deep, 'deep-1')
    expect(ranker.warning()).toBeNull()
    expect((await ranker.rank(aRequest(3), call)).modelVersion).toBe('deep-1')
    await close()
  })

  it('follows a `.rank` file and the spec that it extends, and lists the mistakes of a broken one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-ranker-'))
    const specFile = join(folder, 'home.rank')
    const base = join(folder, 'base.rank')
    const write = async (file: string, text: string): Promise<void> => {
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
    }
    await write(base, linearSpecText('base'))
    await write(specFile, 'spec home extends "base.rank"\n')
    const { ranker, clock, errors, close } = await aRanker(
      { specFile, specReloadIntervalMs: 1_000 },
      { source: specTextSource(specFile, 'spec home extends "base.rank"\n') },
    )
    await ranker.start()
    const served = async () => {
      await clock.advance(1_000)
      const { modelVersion, planVersion } = await ranker.rank(aRequest(1), call)
      return [modelVersion, planVersion]
    }
    const [version, plan] = await served()
    expect(version).toBe('home-untrained')
    await write(base, linearSpecText('base', 3))
    await expect.poll(async () => (await served())[1]).not.toBe(plan)
    await write(specFile, 'spec home extends "base.rank"\nfeature a = pin.aeg\nfeature b = lgo(pin.age)\n')
    await expect
      .poll(async () => (await served(), ranker.warning()))
      .toMatch(
        /home-untrained continues to serve: 2 mistakes:\n.*did you mean `pin\.age`\?\n.*`lgo` is not a transform/,
      )
    expect(errors).toMatchObject([{ code: 'SPEC_UNKNOWN_NAME' }])
    await write(specFile, 'spec next extends "base.rank"\n')
    await expect.poll(async () => (await served())[0]).toBe('next-untrained')
    expect(ranker.warning()).toBeNull()
    await close()
    await rm(folder, { recursive: true })
  })
})

describe('a changed spec while a trained model serves', () => {
  it('adds what it reads to what is recorded, so that it can be learned, and leaves the scores alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-ranker-'))
    const specFile = join(folder, 'home.rank')
    const write = async (text: string): Promise<void> => {
      await writeFile(`${specFile}.new`, text)
      await rename(`${specFile}.new`, specFile)
    }
    await write(linearSpecText('home'))
    const { ranker, log, clock, catalogue, promote, errors, close } = await aRankerWithModels(
      { specFile, specReloadIntervalMs: 1_000 },
      { source: specTextSource(specFile, linearSpecText('home')) },
    )
    await catalogue(5)
    await ranker.start()
    await log.drain()
    await promote(linear, 'lin-1')
    const ask = async () => {
      await clock.advance(1_000)
      return ranker.rank(aRequest(5), call)
    }
    const before = await ask()
    const names = ['retrieval_score', 'topic_affinity', 'pin_age', 'user_click_rate']
    expect(before).toMatchObject({ modelVersion: 'lin-1', featureNames: names, facts: [] })
    const text = linearSpecText('home').replace('input ', 'input pin.topics, pin.save_rate, ')
    const reading = (more: string) => text.replace('linear(', `linear(${more}, `)
    await write(reading('pin.seve_rate'))
    await expect.poll(async () => (await ask(), ranker.warning())).toMatch(/lin-1 continues to serve: .*home\.rank/)
    await write(reading('pin.save_rate, length(pin.topics)'))
    await expect.poll(async () => (await ask()).featureNames).toEqual([...names, 'pin_save_rate'])
    const after = await ranker.rank(aRequest(5), call)
    expect(after).toMatchObject({ modelVersion: 'lin-1', utilities: before.utilities })
    expect(featuresOf(after, 3)).toMatchObject(featuresOf(before, 3))
    expect(featuresOf(after, 4)['pin_save_rate']).toBeGreaterThan(0)
    expect(after.facts).toMatchObject([{ name: 'pin.topics', texts: ['t0', 't1', 't2', 't3', 't4'] }])
    expect([errors.length, ranker.warning()]).toEqual([1, null])
    await close()
    await rm(folder, { recursive: true })
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
