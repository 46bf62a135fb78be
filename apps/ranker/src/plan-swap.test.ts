import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { float32Column } from '@freshet/contracts/bytes/columns'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { specTextSource } from '@freshet/ranking/model/spec-file'
import { linearSpecText } from '@freshet/ranking/serving/testing'
import { describe, expect, it } from 'vitest'
import { aRankerWithModels, deep, linear } from './testing-models.ts'
import { aRanker, aRequest, featuresOf } from './testing.ts'

const call = { timeoutMs: 1_000 }

describe('a ranker whose plans change', () => {
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
