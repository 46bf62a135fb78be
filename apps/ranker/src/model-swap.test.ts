import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { float32Column } from '@freshet/contracts/bytes/columns'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import { biasedSource, biasedSpecText } from '@freshet/ranking/model/testing'
import { describe, expect, it } from 'vitest'
import { aRanker, aRequest } from './testing.ts'

const call = { timeoutMs: 1_000 }

/** An answer without its `fresh` field. */
const contentOf = ({ fresh: _fresh, ...answer }: RankResponse): string =>
  JSON.stringify({
    ...answer,
    utilities: [...float32Column(answer.utilities)],
    probabilities: [...float32Column(answer.probabilities)],
    features: [...float32Column(answer.features)],
  })

describe('swapping the model', () => {
  it('fails none of 200 concurrent calls, answers each from one model only, and frees the other models', async () => {
    const { ranker, log, models, catalogue, close } = await aRanker({}, { source: biasedSource('m0', 0) })
    await catalogue(30)
    await ranker.start()
    await log.drain()
    const wholly = new Map<string, string>()
    for (let n = 0; n < 10; n++) {
      await models.swap(biasedSource(`m${n}`, n / 3))
      const answer = await ranker.rank(aRequest(30), call)
      wholly.set(`${answer.modelVersion} ${answer.planVersion}`, contentOf(answer))
    }
    expect(wholly.size).toBe(10)
    const before = tf.memory().numTensors
    const answers: RankResponse[] = []
    const ask = async (turn: number): Promise<void> => {
      for (let wait = 0; wait < turn % 50; wait++) await new Promise(setImmediate)
      answers.push(await ranker.rank(aRequest(30), call))
    }
    const swapping = (async () => {
      for (let n = 0; n < 100; n++) {
        await models.swap(biasedSource(`m${n % 10}`, (n % 10) / 3))
        expect(tf.memory().numTensors).toBe(before)
        await new Promise(setImmediate)
      }
    })()
    await Promise.all(Array.from({ length: 200 }, (_, turn) => ask(turn)))
    await swapping
    expect(answers).toHaveLength(200)
    for (const answer of answers)
      expect(contentOf(answer)).toBe(wholly.get(`${answer.modelVersion} ${answer.planVersion}`))
    expect(new Set(answers.map(({ modelVersion }) => modelVersion)).size).toBeGreaterThan(3)
    expect(ranker.model()).toMatchObject({ version: 'm9', refused: 0 })
    expect(tf.memory().numTensors).toBe(before)
    await close()
  })

  it('follows the file of the spec: uses a changed spec, warns about a broken one and keeps the old model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-ranker-'))
    const specFile = join(folder, 'spec.json')
    const write = async (text: string): Promise<void> => {
      await writeFile(`${specFile}.new`, text)
      await rename(`${specFile}.new`, specFile)
    }
    await write(biasedSpecText('one', 0))
    const swapped: string[] = []
    const { ranker, clock, errors, close } = await aRanker(
      { specFile, specReloadIntervalMs: 1_000 },
      { source: specFileSource(specFile), onModelSwapped: ({ version: name }) => swapped.push(name) },
    )
    await ranker.start()
    const version = async (): Promise<string> => {
      await clock.advance(1_000)
      return (await ranker.rank(aRequest(1), call)).modelVersion
    }
    expect(await version()).toBe('one')
    await write(biasedSpecText('two', 1))
    await expect.poll(version).toBe('two')
    await write(biasedSpecText('three', 1).replace('pin_age', 'pin_aeg'))
    await expect
      .poll(async () => (await version(), ranker.warning()))
      .toMatch(
        /the model two continues to serve: the ranking spec .*features\.pin_aeg is not a feature; did you mean pin_age\?/s,
      )
    expect(await version()).toBe('two')
    expect(errors).toMatchObject([{ code: 'RANKING_SPEC_INVALID' }])
    await write(biasedSpecText('three', 1))
    await expect.poll(version).toBe('three')
    expect([ranker.warning(), swapped]).toEqual([null, ['two', 'three']])
    expect(ranker.model()).toMatchObject({ version: 'three', swapped: 2, refused: 1 })
    await close()
    await rm(folder, { recursive: true })
  })
})
