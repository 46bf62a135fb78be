import { readFile } from 'node:fs/promises'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import { artefactName, decodeArtefact } from '@freshet/ranking/artefact/bytes'
import { checkModelFits } from '@freshet/ranking/artefact/fit'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { loadTrainable } from '@freshet/trainer/ranking/trainable'
import { describe, expect, test } from 'vitest'
import { readRegistries } from '../models/registries.ts'
import { trainOnSample } from './sample-loop.ts'
import { installSampleModel, sampleModelFile } from './sample-model.ts'

const surface = 'home'
const nowMs = Date.parse('2026-03-01T00:00:00.000Z')
const shipped = async () => decodeArtefact(new Uint8Array(await readFile(sampleModelFile)), sampleModelFile)

async function aPlace(planHash: string) {
  const clock = createVirtualClock(nowMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  const artefacts = createMemoryArtefactStore()
  const failed: Error[] = []
  const registry = async () =>
    (
      await readRegistries({
        ...{ log, clock, signal: new AbortController().signal },
        onError: (error) => failed.push(error),
      })
    ).get(surface)
  return { place: { log, artefacts, surface, planHash, nowMs }, artefacts, registry }
}

describe('the model that ships with the sample', () => {
  test('has the plan of the shipped spec; if not, run `npm run sample-model`', async () => {
    const { manifest, model } = await shipped()
    const { planHash, specText } = await loadTrainable(null, surface)
    expect(manifest).toMatchObject({ surface, planHash, specText })
    checkModelFits(model, transformCatalogue, sampleModelFile)
    expect(manifest.trainingRows).toBeGreaterThan(1_000)
  })

  test('serves from the start', async () => {
    const { manifest } = await shipped()
    const { place, artefacts, registry } = await aPlace(manifest.planHash)
    expect(await installSampleModel(place)).toBe(manifest.version)
    expect((await registry())?.serving()).toMatchObject({ version: manifest.version, atMs: nowMs, share: 0 })
    expect(await artefacts.get(artefactName(surface, manifest.version))).toEqual(
      new Uint8Array(await readFile(sampleModelFile)),
    )
  })

  test('is left out where another spec serves', async () => {
    const { place, artefacts, registry } = await aPlace('0000000000000000')
    expect(await installSampleModel(place)).toBeNull()
    expect(await artefacts.list('')).toEqual([])
    expect(await registry()).toBeUndefined()
  })

  test('comes from the loop: after some feeds the gate lets a model pass, and equal runs give equal bytes', async () => {
    const short = { hours: 2, feedsPerHour: 20, maxPins: 300 }
    let feeds = 0
    const [model, again] = [await trainOnSample({ ...short, onFeed: () => feeds++ }), await trainOnSample(short)]
    expect(feeds).toBe(40)
    expect(model).not.toBeNull()
    expect(again).toEqual(model)
    const { manifest } = decodeArtefact(model!, 'of this test')
    expect(manifest.planHash).toBe((await shipped()).manifest.planHash)
  }, 240_000)
})
