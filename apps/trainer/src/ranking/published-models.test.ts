import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { encodeArtefact } from '@freshet/contracts/codecs/artefact-part'
import { ContractError } from '@freshet/contracts/errors'
import { topicLayouts } from '@freshet/contracts/topics'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { describe, expect, it } from 'vitest'
import { createPublishedModels } from './published-models.ts'

const a = 'models/home/home-1.model'
const b = 'models/home/home-2.model'
const bytes = (byte: number): Uint8Array => new Uint8Array(2_500).fill(byte)

/** A log, and stores of models on it; `trainer` is one with or without a folder. */
async function world() {
  const clock = createVirtualClock(0)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  const errors: Error[] = []
  const onError = (error: Error): void => void errors.push(error)
  const open = (on: EventLog = log) => createLogArtefactStore({ log: on, onError, partBytes: 1_000 })
  const trainer = (folder: ArtefactStore | null, on?: EventLog) =>
    createPublishedModels({ published: open(on), folder, clock, onError })
  return { clock, log, errors, ranker: open(), trainer }
}

describe('models of the trainer', () => {
  it('are in the log for rankers and in the folder for the trainer, until they are removed', async () => {
    const { ranker, trainer } = await world()
    const folder = createMemoryArtefactStore()
    const models = trainer(folder)
    await models.put(a, bytes(1))
    expect([await ranker.get(a), await folder.get(a), await models.get(a)]).toEqual([bytes(1), bytes(1), bytes(1)])
    await models.remove(a)
    expect([await ranker.list(''), await folder.list(''), await models.list('')]).toEqual([[], [], []])
  })

  it('are read from the log by a trainer whose folder is empty, or that has none', async () => {
    const { trainer } = await world()
    await trainer(createMemoryArtefactStore()).put(a, bytes(1))
    for (const other of [trainer(createMemoryArtefactStore()), trainer(null)]) {
      expect(await other.get(a)).toEqual(bytes(1))
      expect(await other.list('models/')).toEqual([a])
    }
  })

  it('of an earlier version, which are in the folder only, are published at the start', async () => {
    const { ranker, trainer } = await world()
    const folder = createMemoryArtefactStore()
    await folder.put(a, bytes(1))
    await folder.put('trainer/joiner.checkpoint', bytes(9))
    await trainer(folder).settle()
    expect(await ranker.list('')).toEqual([a])
    expect(await ranker.get(a)).toEqual(bytes(1))
  })

  it('that a killed trainer began to publish are published by the next one if it has them, or removed', async () => {
    const { log, ranker, trainer } = await world()
    let appends = 0
    const append: EventLog['append'] = (...given) =>
      ++appends === 2 ? Promise.reject(new Error('killed')) : log.append(...given)
    const folder = createMemoryArtefactStore()
    await expect(trainer(folder, { ...log, append }).put(a, bytes(1))).rejects.toThrow('killed')
    await log.append('model-files.v1', encodeArtefact(b, bytes(2), 1_000).slice(0, 1))
    expect([await ranker.list(''), await ranker.unfinished()]).toEqual([[], [a, b]])
    await trainer(folder).settle()
    expect([await ranker.list(''), await ranker.unfinished()]).toEqual([[a], []])
    expect(await ranker.get(a)).toEqual(bytes(1))
  })

  it('that nobody can publish are reported once, and the others are published', async () => {
    const { errors, ranker, trainer } = await world()
    const folder = createMemoryArtefactStore()
    for (const name of [a, b]) await folder.put(name, bytes(1))
    const missing: ArtefactStore['get'] = (name, call) => folder.get(name === a ? 'gone' : name, call)
    await trainer({ ...folder, get: missing }).settle()
    expect([await ranker.list(''), errors]).toMatchObject([[b], [{ code: 'ARTEFACT_MISSING' }]])
  })

  it('that a full log broke off leave nothing behind when the next one is published', async () => {
    const { log, ranker, trainer } = await world()
    let left = 1
    const append: EventLog['append'] = (...given) =>
      left-- > 0 ? log.append(...given) : Promise.reject(new ContractError('LOG_FULL', 'full'))
    const models = trainer(null, { ...log, append })
    await expect(models.put(a, bytes(1))).rejects.toMatchObject({ code: 'LOG_FULL' })
    left = 100
    await models.put(b, bytes(2))
    expect([await ranker.list(''), await ranker.unfinished()]).toEqual([[b], []])
  })

  it('are settled when the log answers again', async () => {
    const { clock, log, errors, ranker, trainer } = await world()
    let isAway = true
    const ends: EventLog['ends'] = (...given) =>
      isAway ? Promise.reject(new ContractError('LOG_UNAVAILABLE', 'away')) : log.ends(...given)
    const folder = createMemoryArtefactStore()
    await folder.put(a, bytes(1))
    const models = trainer(folder, { ...log, ends })
    const settled = models.settle()
    await expect.poll(() => errors).toMatchObject([{ code: 'LOG_UNAVAILABLE' }])
    isAway = false
    await clock.advance(10_000)
    await settled
    expect(await ranker.list('')).toEqual([a])
  })

  it('stop being settled when the trainer stops', async () => {
    const { log, trainer } = await world()
    const ends: EventLog['ends'] = () => Promise.reject(new Error('away'))
    const models = trainer(createMemoryArtefactStore(), { ...log, ends })
    void models.settle()
    await models.stop()
  })
})
