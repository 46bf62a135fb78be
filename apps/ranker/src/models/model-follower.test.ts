import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import { ContractError } from '@freshet/contracts/errors'
import type { ModelRecord, ModelStage } from '@freshet/domain/model-record'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import { openModelSlot } from '@freshet/ranking/model/slot'
import { biasedSource } from '@freshet/ranking/model/testing'
import { createModelRegistry, planRollBack, planTransition } from '@freshet/ranking/registry/registry'
import { aModelRecord } from '@freshet/ranking/registry/testing'
import { artefactOf, linearSpecText, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { chooseBackend, type BackendChoice } from '@freshet/ranking/tensor/backend'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createModelFollower } from './model-follower.ts'

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

const plan = planOfText(linearSpecText('lin'))
const users = Array.from({ length: 400 }, (_, n) => `user-${n}`)

/** A follower with the models m-0 … m-3 in its store and as candidates in its registry. */
async function aFollower(given: { readonly hasStore?: boolean; readonly failWith?: () => Error | null } = {}) {
  const store = createMemoryArtefactStore()
  const slot = await openModelSlot(biasedSource('built-in', 0))
  const errors: Error[] = []
  const swapped: string[] = []
  const follower = createModelFollower({
    surface: 'home',
    models: slot,
    artefacts:
      given.hasStore === false
        ? null
        : {
            get: (name, call) =>
              given.failWith?.() == null ? store.get(name, call) : Promise.reject(given.failWith()!),
          },
    builtIn: biasedSource('built-in', 0),
    onRefused: (error) => errors.push(error),
    onSwapped: ({ version }) => swapped.push(version),
  })
  const registry = createModelRegistry()
  let position = 0
  const fold = async (...records: readonly ModelRecord[]): Promise<void> => {
    for (const record of records) registry.fold(record.version, record)
    const encoded = records.map((record) => ({ ...encodeModelRecord(record), position: position++ }))
    const whole = encoded.map(({ key, value, position: at }) => ({
      key,
      value,
      position: at,
      appendedAtMs: 0,
      headers: {},
    }))
    await follower.fold({ topic: 'models.v1', partition: 0, from: 0, next: position, end: position, records: whole })
  }
  for (let n = 0; n < 4; n++) {
    const { bytes, record } = artefactOf(randomModel(plan, n), `m-${n}`)
    await store.put(artefactName('home', record.version), bytes)
    await fold({ ...aModelRecord({ version: record.version }), ...record })
  }
  const modelOf = (userId: string, modelVersion = ''): string =>
    follower.use({ userId, modelVersion }, ({ version }) => version)
  return {
    store,
    modelOf,
    errors,
    swapped,
    follower,
    fold,
    registry,
    move: (version: string, to: ModelStage, share = 0) =>
      fold(planTransition(registry, { version, to, share, reason: 'test', atMs: 1 })),
    rollBack: () => fold(planRollBack(registry, { reason: 'test', atMs: 1 })),
    /** Who scores: the serving model, share of the users of the canary, and the shadow. */
    scoring() {
      const versions = users.map((user) => modelOf(user))
      const serving = slot.use(({ version }) => version)
      const canaries = versions.filter((version) => version !== serving)
      const shadow = follower.shadow()
      return {
        serving,
        canary: canaries[0] ?? null,
        share: canaries.length / users.length,
        shadow: shadow === null ? null : `${shadow.record.version} ${shadow.record.share}`,
      }
    },
    async close() {
      await follower.close()
      await slot.close()
    },
  }
}

const nobody = { canary: null, share: 0, shadow: null }

describe('models of the registry', () => {
  it('go from candidate over shadow and canary to serving, and back from each', async () => {
    const { move, rollBack, scoring, swapped, errors, close } = await aFollower()
    expect(scoring()).toEqual({ ...nobody, serving: 'built-in' })
    await move('m-0', 'serving')
    await move('m-1', 'shadow', 0.25)
    expect(scoring()).toEqual({ ...nobody, serving: 'm-0', shadow: 'm-1 0.25' })
    await move('m-1', 'retired')
    expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
    await move('m-1', 'shadow', 1)
    await move('m-1', 'canary', 0.3)
    expect(scoring()).toMatchObject({ serving: 'm-0', canary: 'm-1', shadow: null })
    expect(Math.abs(scoring().share - 0.3)).toBeLessThan(0.1)
    await move('m-1', 'retired')
    expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
    await move('m-1', 'canary', 0.3)
    await move('m-1', 'serving')
    expect(scoring()).toEqual({ ...nobody, serving: 'm-1' })
    await rollBack()
    expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
    await rollBack()
    expect(scoring()).toEqual({ ...nobody, serving: 'built-in' })
    expect([swapped, errors]).toEqual([['m-0', 'm-1', 'm-0', 'built-in'], []])
    await close()
  })

  it('have a canary and a shadow at the same time, until another model serves', async () => {
    const { move, scoring, close } = await aFollower()
    await move('m-0', 'serving')
    await move('m-1', 'canary', 0.5)
    await move('m-2', 'shadow', 0.1)
    expect(scoring()).toMatchObject({ serving: 'm-0', canary: 'm-1', shadow: 'm-2 0.1' })
    await move('m-3', 'serving')
    expect(scoring()).toEqual({ ...nobody, serving: 'm-3' })
    await close()
  })

  it('score a request that names them if they serve, are the canary or the shadow, otherwise the model of the user scores', async () => {
    const { move, modelOf, close } = await aFollower()
    await move('m-0', 'serving')
    await move('m-1', 'canary', 0.5)
    await move('m-2', 'shadow', 0.1)
    for (const user of users.slice(0, 20)) {
      for (const held of ['m-0', 'm-1', 'm-2']) expect(modelOf(user, held)).toBe(held)
      for (const other of ['m-3', 'never trained']) expect(modelOf(user, other)).toBe(modelOf(user))
    }
    await close()
  })

  it('give a user the same model at every request, and other canaries other users', async () => {
    const { move, modelOf, close } = await aFollower()
    await move('m-0', 'serving')
    const canariesOf = (): readonly string[] => users.filter((user) => modelOf(user) !== 'm-0')
    await move('m-1', 'canary', 0.5)
    const first = canariesOf()
    expect(canariesOf()).toEqual(first)
    await move('m-2', 'canary', 0.5)
    expect(canariesOf()).not.toEqual(first)
    await close()
  })

  it('change the share of a canary or of a shadow without loading it again', async () => {
    const { move, store, scoring, errors, close } = await aFollower()
    await move('m-1', 'canary', 0.1)
    await move('m-2', 'shadow', 0.1)
    await store.remove(artefactName('home', 'm-1'))
    await store.remove(artefactName('home', 'm-2'))
    await move('m-1', 'canary', 1)
    await move('m-2', 'shadow', 1)
    expect(scoring()).toMatchObject({ canary: 'm-1', share: 1, shadow: 'm-2 1' })
    expect(errors).toEqual([])
    await close()
  })

  it.each<[ModelStage, number]>([
    ['serving', 0],
    ['canary', 0.5],
    ['shadow', 0.5],
  ])('are refused by name as %s if their artefact is broken, and the one before serves on', async (stage, share) => {
    const { move, store, scoring, follower, errors, close } = await aFollower()
    await move('m-0', 'serving')
    const name = artefactName('home', 'm-1')
    await store.put(name, (await store.get(name)).slice(0, -4))
    await move('m-1', stage, share)
    expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
    expect(follower.refusal()).toMatch(/^the model m-1 was refused.*models\/home\/m-1\.model has \d+ bytes of \d+$/)
    expect(errors).toMatchObject([{ code: 'MODEL_ARTEFACT_TRUNCATED' }])
    await move('m-2', stage, share)
    expect(follower.refusal()).toBeNull()
    await close()
  })

  it('are refused if the artefact is another one than the registry names', async () => {
    const { fold, registry, scoring, errors, close } = await aFollower()
    const [model] = registry.models()
    await fold({ ...model!, stage: 'serving', sha256: '0'.repeat(64) })
    await fold({ ...model!, stage: 'serving', planHash: '0'.repeat(16) })
    expect(scoring()).toEqual({ ...nobody, serving: 'built-in' })
    expect(errors).toMatchObject([{ code: 'MODEL_ARTEFACT_DAMAGED' }, { code: 'MODEL_PLAN_DIFFERS' }])
    await close()
  })

  it('are refused without a store of models, and those of another surface do not count', async () => {
    const { move, fold, registry, follower, scoring, close } = await aFollower({ hasStore: false })
    await fold({ ...registry.models()[0]!, surface: 'related', stage: 'serving' })
    expect([follower.refusal(), scoring().serving]).toEqual([null, 'built-in'])
    await move('m-1', 'serving')
    expect(follower.refusal()).toContain('no store of models is configured; set one to serve m-1 of the registry')
    await close()
  })

  it.each<ModelStage>(['serving', 'canary', 'shadow'])(
    'whose artefact is missing score as %s as soon as it is there, and are reported once',
    async (stage) => {
      const { move, store, scoring, follower, errors, close } = await aFollower()
      await move('m-0', 'serving')
      const name = artefactName('home', 'm-1')
      const bytes = await store.get(name)
      await store.remove(name)
      await move('m-1', stage, stage === 'serving' ? 0 : 0.5)
      await follower.retryMissing()
      expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
      expect([follower.refused(), errors.length]).toEqual([1, 1])
      await store.put(name, bytes)
      await follower.retryMissing()
      expect(Object.values(scoring()).join(' ')).toContain('m-1')
      expect([follower.refused(), follower.refusal()]).toEqual([0, null])
      await close()
    },
  )

  it.each<ModelStage>(['serving', 'canary', 'shadow'])(
    'that cannot be read now as %s are asked for again with the same records, and the one before serves on',
    async (stage) => {
      let failure: Error | null = null
      const { move, fold, registry, scoring, follower, errors, close } = await aFollower({ failWith: () => failure })
      await move('m-0', 'serving')
      failure = new ContractError('LOG_UNAVAILABLE', 'away')
      const moved = move('m-1', stage, stage === 'serving' ? 0 : 0.5)
      await expect(moved).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
      expect(scoring()).toEqual({ ...nobody, serving: 'm-0' })
      failure = null
      await fold(registry.models().find(({ version }) => version === 'm-1')!)
      expect(Object.values(scoring()).join(' ')).toContain('m-1')
      expect([errors, follower.refused()]).toEqual([[], 0])
      await close()
    },
  )

  it.each<ModelStage>(['serving', 'canary', 'shadow'])(
    'are not refused as %s when the ranker stops while it reads them',
    async (stage) => {
      const failWith = () => new DOMException('stopped', 'AbortError')
      const { move, follower, errors, close } = await aFollower({ failWith })
      await expect(move('m-1', stage, stage === 'serving' ? 0 : 0.5)).rejects.toMatchObject({ name: 'AbortError' })
      expect([errors, follower.refused()]).toEqual([[], 0])
      await close()
    },
  )

  it('leave no tensors behind when they are replaced', async () => {
    const before = tf.memory().numTensors
    const { move, close } = await aFollower()
    for (let round = 0; round < 3; round++)
      for (const version of ['m-1', 'm-2']) {
        await move(version, 'shadow', 0.5)
        await move(version, 'canary', 0.5)
        await move(version, 'retired')
      }
    await close()
    expect(tf.memory().numTensors).toBe(before)
  })
})
