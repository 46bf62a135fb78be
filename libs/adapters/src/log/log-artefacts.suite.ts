import { encodeArtefact } from '@freshet/contracts/codecs/artefact-part'
import type { EventLog, LogRecord, TopicLayout } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../suites/event-log.builders.ts'
import { uniqueName } from '../system/unique-name.ts'
import { createLogArtefactStore } from './artefact-store.ts'

interface LogWorld {
  readonly log: EventLog
  /** Makes the log compact a topic, if necessary by appending something; called again until it has. */
  compact(topic: string): Promise<void>
  close(): Promise<void>
}

/** What a store of artefacts in a log promises beyond the contract of every store. */
export function logArtefacts(name: string, layout: TopicLayout, open: () => Promise<LogWorld>): void {
  describe(`${name}: artefacts that travel by the log`, () => {
    const model = 'models/home/home-1.model'
    let world: LogWorld
    let topic: string
    let errors: Error[]
    beforeEach(async () => {
      world = await open()
      topic = `files-${uniqueName()}`
      errors = []
      await world.log.applyTopics([{ ...layout, name: topic }])
    })
    afterEach(() => world.close())
    const storeOn = (log: EventLog, partBytes?: number) =>
      createLogArtefactStore({
        log,
        topic,
        onError: (error) => errors.push(error),
        ...(partBytes !== undefined && { partBytes }),
      })
    const numbers = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * seed) >>> 3)
    const left = async (): Promise<readonly LogRecord[]> => {
      const found: LogRecord[] = []
      const onError = (error: Error): never => {
        throw error
      }
      const onRecords = (_: number, records: readonly LogRecord[]) => found.push(...records)
      await readToEnd({ log: world.log, topic, maxBatchRecords: 100, onRecords, onError })
      return found.filter(({ key }) => key.startsWith('models/'))
    }
    /** A log whose writer dies after so many appends. */
    const dying = (appends: number): EventLog => {
      let done = 0
      const append: EventLog['append'] = (...given) =>
        done++ < appends ? world.log.append(...given) : Promise.reject(new Error('killed'))
      return { ...world.log, append }
    }

    test('an artefact larger than a record arrives in parts that fit, also at a reader that begins later', async () => {
      const bytes = numbers(3_300_000, 7)
      await storeOn(world.log).put(model, bytes)
      expect((await left()).length).toBe(7)
      expect(Buffer.from(await storeOn(world.log).get(model)).equals(bytes)).toBe(true)
    })

    test('a writer killed between two parts leaves the artefact before, and the next put leaves only its own parts', async () => {
      const reader = storeOn(world.log)
      await storeOn(world.log, 1_000).put(model, numbers(3_000, 3))
      for (const appends of [1, 2]) {
        await expect(storeOn(dying(appends), 1_000).put(model, numbers(3_000, 5 + appends))).rejects.toThrow('killed')
        expect(await reader.get(model)).toEqual(numbers(3_000, 3))
        expect(await storeOn(world.log).get(model)).toEqual(numbers(3_000, 3))
      }
      await storeOn(world.log, 1_000).put(model, numbers(2_000, 9))
      expect(await reader.get(model)).toEqual(numbers(2_000, 9))
      const live = new Map((await left()).map(({ key, value }) => [key, value]))
      expect([...live.values()].filter((value) => value !== null).length).toBe(2)
    })

    test('a first artefact that was never whole is not there', async () => {
      await expect(storeOn(dying(1), 1_000).put(model, numbers(3_000, 3))).rejects.toThrow('killed')
      const reader = storeOn(world.log)
      await expect(reader.get(model)).rejects.toMatchObject({ code: 'ARTEFACT_MISSING' })
      expect([await reader.list(''), await reader.unfinished()]).toEqual([[], [model]])
      await reader.remove(model)
      expect(await storeOn(world.log).unfinished()).toEqual([])
    })

    test('what dead writers left is removed, and what this store is writing is not', async () => {
      const dead = 'models/home/home-0.model'
      await expect(storeOn(dying(1), 1_000).put(dead, numbers(3_000, 3))).rejects.toThrow('killed')
      const removals: Promise<void>[] = []
      const append: EventLog['append'] = async (...given) => {
        const places = await world.log.append(...given)
        removals.push(store.removeUnfinished())
        return places
      }
      const store = storeOn({ ...world.log, append }, 1_000)
      await store.put(model, numbers(3_000, 5))
      await Promise.all(removals)
      const reader = storeOn(world.log)
      expect([await reader.list(''), await reader.unfinished()]).toEqual([[model], []])
      expect(await reader.get(model)).toEqual(numbers(3_000, 5))
    })

    test('what was replaced or removed takes no room after compaction, and the rest is as before', async () => {
      const store = storeOn(world.log, 1_000)
      for (let seed = 1; seed <= 5; seed++) await store.put(model, numbers(3_000, seed))
      await store.put('models/home/home-2.model', numbers(3_000, 11))
      await store.remove('models/home/home-2.model')
      await until(
        'the log to be compacted',
        async () => {
          await world.compact(topic)
          return (await left()).filter(({ value }) => value !== null).length === 3
        },
        30_000,
      )
      for (const reader of [store, storeOn(world.log)]) {
        expect(await reader.get(model)).toEqual(numbers(3_000, 5))
        expect(await reader.list('')).toEqual([model])
      }
    }, 60_000)

    test('bytes that do not have their digest are ARTEFACT_DAMAGED until they are put again', async () => {
      await storeOn(world.log, 1_000).put(model, numbers(3_000, 3))
      const [, good] = encodeArtefact(model, numbers(3_000, 3), 1_000)
      const value = good!.value!.slice()
      value[value.length - 1]! ^= 1
      await world.log.append(topic, [{ ...good!, value }])
      await expect(storeOn(world.log).get(model)).rejects.toMatchObject({ code: 'ARTEFACT_DAMAGED' })
      await storeOn(world.log, 1_000).put(model, numbers(3_000, 3))
      expect(await storeOn(world.log).get(model)).toEqual(numbers(3_000, 3))
    })

    test('records that are not parts are reported and left out', async () => {
      await storeOn(world.log).put(model, numbers(10, 3))
      const [part] = encodeArtefact(model, numbers(10, 3), 1_000)
      await world.log.append(topic, [
        { key: 'filler', value: numbers(3, 1), partition: 0 },
        { ...part!, key: part!.key.replace('#0.1', '#1.1') },
        { ...part!, key: part!.key.replace('home-1', 'home-2') },
        ...encodeArtefact('models/../../home-3.model', numbers(10, 3), 1_000),
      ])
      const store = storeOn(world.log)
      expect(await store.get(model)).toEqual(numbers(10, 3))
      const codes = ['CODEC_INVALID', 'CODEC_INVALID', 'CODEC_INVALID', 'ARTEFACT_NAME']
      expect(errors).toMatchObject(codes.map((code) => ({ code })))
      expect([await store.list(''), await store.unfinished()]).toEqual([[model], []])
    })
  })
}
