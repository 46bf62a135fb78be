import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { ModelStage } from '@freshet/domain/model-record'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import { aModelRecord } from '@freshet/ranking/registry/testing'
import { artefactOf, linearSpecText, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { observe } from '../observe.ts'
import { aRanker, aRequest } from '../testing.ts'
import { healthSchema } from './health/config.ts'

const call = { timeoutMs: 1_000 }
const plan = planOfText(linearSpecText('lin'))
const health = healthSchema.parse({ everyPages: 1, topRows: 10, windowRows: 100 })

/** A ranker that serves m-0; `set` gives m-1 a stage. The models say that they learned from pins of at most 10 hours. */
async function aServingRanker() {
  const store = createMemoryArtefactStore()
  const unhealthy: string[] = []
  const started = await aRanker({ health }, { artefacts: store, onUnhealthy: (text) => unhealthy.push(text) })
  const set = async (n: number, stage: ModelStage): Promise<void> => {
    const { bytes, record } = artefactOf(randomModel(plan, n), `m-${n}`)
    await store.put(artefactName('home', record.version), bytes)
    await started.log.append('models.v1', [
      encodeModelRecord({ ...aModelRecord({ ...record, stage, share: stage === 'shadow' ? 1 : 0 }) }),
    ])
    await started.log.drain()
  }
  await started.catalogue(30)
  await started.ranker.start()
  await set(0, 'serving')
  return { ...started, set, unhealthy }
}

describe('the watch of a ranker', () => {
  it('lets a shadow score every request without changing one bit of the answers', async () => {
    const { ranker, set, errors, close } = await aServingRanker()
    const answers = async (): Promise<readonly string[]> => {
      const found: string[] = []
      for (let n = 1; n <= 30; n++) {
        const answer = await ranker.rank(aRequest(n), call)
        await ranker.shadowIdle()
        found.push(Buffer.from(RankResponse.encode(answer).finish()).toString('base64'))
      }
      return found
    }
    const alone = await answers()
    expect(ranker.shadow()).toBeNull()
    await set(1, 'shadow')
    expect(await answers()).toEqual(alone)
    const report = ranker.shadow()!
    expect(report).toMatchObject({ version: 'm-1', serving: 'm-0', share: 1, pages: 30, failed: 0, skipped: 0 })
    expect(report.predictions['click']!.shadow).not.toBe(report.predictions['click']!.serving)
    const metrics = createMetrics()
    observe(ranker, metrics)
    const text = await metrics.text()
    expect(text).toContain('freshet_ranker_shadow_pages{outcome="compared"} 30')
    expect(text).toMatch(/freshet_ranker_shadow_prediction\{head="click",model="shadow"\} 0\.\d+/)
    await set(1, 'retired')
    expect(ranker.shadow()).toBeNull()
    expect(await metrics.text()).not.toContain('freshet_ranker_shadow_pages{')
    expect(errors).toEqual([])
    await close()
  })

  it('warns once when the inputs of the model are not those of its training, and shows them as metrics', async () => {
    const { ranker, unhealthy, close } = await aServingRanker()
    for (let n = 0; n < 25; n++) await ranker.rank(aRequest(30), call)
    // All pins are 24 hours old.
    const warning = 'the inputs of the model m-0: pin_age are distributed otherwise than in training'
    expect([ranker.warning(), unhealthy]).toEqual([warning, [warning]])
    const metrics = createMetrics()
    observe(ranker, metrics)
    const text = await metrics.text()
    for (const line of [
      'freshet_ranker_feature_missing_ratio{feature="pin_age",where="serving"} 0',
      'freshet_ranker_feature_missing_ratio{feature="pin_age",where="training"} 0.1',
      'freshet_ranker_health_crossed{check="drift"} 1',
      'freshet_ranker_health_crossed{check="missing"} 0',
    ])
      expect(text).toContain(line)
    expect(text).toMatch(/freshet_ranker_feature_drift\{feature="pin_age"\} \d+\.\d+/)
    await close()
  })
})
