import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { decodePinChange, encodePinChange, pinStampOf } from '@freshet/contracts/codecs/pin'
import { isCatalogueChange, type CatalogueTopic } from '@freshet/contracts/catalogue-topics'
import { encodeBoardChange } from '@freshet/contracts/codecs/board'
import { encodeCreatorChange } from '@freshet/contracts/codecs/creator'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type BoardId, type CreatorId, type PinId } from '@freshet/domain/ids'
import type { PinChange } from '@freshet/domain/pin'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import { aCataloguePin } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCatalogueKeeper, foldCatalogue } from './catalogue-keeper.ts'

type Row = Pick<LogRecord, 'key' | 'value'>

/** Catalogue changes of two pins. `titleOf` makes the title, which shows what counts. null: a record without a value. */
const changesWith = (titleOf: (version: number | null, at: number) => string) =>
  fc
    .array(
      fc.record({
        pinId: fc.constantFrom('a', 'b'),
        version: fc.option(fc.integer({ min: 1, max: 4 })),
        form: fc.constantFrom('upsert', 'delete', 'no value'),
      }),
      { maxLength: 12 },
    )
    .map((all) =>
      all.map(({ pinId, version, form }, at): Row => {
        const versioned = version === null ? {} : { version }
        const id = asId<PinId>(pinId)
        const change: PinChange =
          form === 'delete'
            ? { kind: 'delete', pinId: id, ...versioned }
            : { kind: 'upsert', pin: { ...aCataloguePin(id), title: titleOf(version, at) }, ...versioned }
        return { key: pinId, value: form === 'no value' ? null : encodePinChange(change) }
      }),
    )

/** The same version is the same entry, as when a message comes again. */
const changes = changesWith((version, at) => (version === null ? `without a version, ${at}` : `version ${version}`))
/** Owners may also use a version twice. */
const carelessChanges = changesWith((_, at) => `change ${at}`)

/** What a view that reads these records from the start shows: the title of each pin that is not deleted. */
function shown(records: readonly Row[]): Record<string, string> {
  const versions = createPinVersions({ maxVersions: 100 })
  const titles: Record<string, string> = {}
  for (const record of records) {
    if (!versions.accept(record) || !isCatalogueChange('pins.v1', record.key, record.value)) continue
    const change = decodePinChange(record.key, record.value)
    if (change.kind === 'upsert') titles[record.key] = change.pin.title
    else delete titles[record.key]
  }
  return titles
}

/** The last record of each key, as compaction keeps it. */
function compacted(records: readonly Row[]): Row[] {
  const last = new Map(records.map((record, at) => [record.key, at]))
  return records.filter((record, at) => last.get(record.key) === at)
}

async function world() {
  const clock = createVirtualClock(0)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  const store = createMemoryStateStore({ clock })
  const errors: Error[] = []
  const open = (failing: { append?: boolean; commit?: boolean } = {}) =>
    createCatalogueKeeper({
      log: {
        ...log,
        append: async (...given) => {
          const positions = await log.append(...given)
          if (failing.append) throw new Error('the answer of the log was lost')
          return positions
        },
      },
      store: {
        ...store,
        commit: async (...given) => {
          if (failing.commit) throw new Error('killed before the commit')
          return store.commit(...given)
        },
      },
      group: 'updater',
      maxBatchRecords: 4,
      onError: (error) => errors.push(error),
    })
  const records = async (topic: CatalogueTopic = 'pins.v1'): Promise<LogRecord[]> => {
    const found: LogRecord[] = []
    await readToEnd({
      log,
      topic,
      maxBatchRecords: 100,
      onRecords: (_, more) => found.push(...more),
      onError: (error) => errors.push(error),
    })
    return found
  }
  return { log, store, open, records, errors }
}

/** The log after a keeper has read all the changes. */
async function kept(all: readonly Row[]) {
  const { log, open, records, errors } = await world()
  const keeper = open()
  await keeper.start()
  for (const { key, value } of all) await log.append('pins.v1', [{ key, value, partition: null }])
  await log.drain()
  await keeper.stop()
  return { whole: await records(), errors }
}

const entry = fc.record({
  topic: fc.constantFrom('creators.v1', 'boards.v1'),
  version: fc.option(fc.integer({ min: 1, max: 4 })),
  isDeleted: fc.boolean(),
})
/** A creator and a board with the same id, because no topic may take the other's for its own. */
const entryRow = ({
  topic,
  version,
  isDeleted,
}: typeof entry extends fc.Arbitrary<infer Entry> ? Entry : never): Row => {
  const versioned = version === null ? {} : { version }
  const [creatorId, boardId] = [asId<CreatorId>('a'), asId<BoardId>('a')]
  const creator = { creatorId, name: '', imageUrl: null, isSuspended: false }
  const board = { boardId, isSecret: false, title: '', ownerId: null }
  const value =
    topic === 'creators.v1'
      ? encodeCreatorChange({
          ...(isDeleted ? { kind: 'delete', creatorId } : { kind: 'upsert', creator }),
          ...versioned,
        })
      : encodeBoardChange({
          ...(isDeleted ? { kind: 'delete', boardId } : { kind: 'upsert', board }),
          ...versioned,
        })
  return { key: 'a', value }
}

describe('the keeper of the catalogue', () => {
  it('keeps creators and boards apart, and lets no stale one of them come last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (all) => {
        const { log, open, records, errors } = await world()
        const keeper = open()
        await keeper.start()
        for (const one of all) await log.append(one.topic, [{ ...entryRow(one), partition: null }])
        await log.drain()
        await keeper.stop()
        for (const topic of ['creators.v1', 'boards.v1'] as const) {
          const stamps = all.filter((one) => one.topic === topic)
          const last = stamps.reduce<PinStamp | null>((known, stamp) => nextPinStamp(known, stamp) ?? known, null)
          const kept = (await records(topic)).at(-1)
          expect(kept === undefined ? null : pinStampOf(kept.value)).toEqual(
            last === null ? null : { version: last.version, isDeleted: last.isDeleted },
          )
        }
        expect(errors).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('makes a compacted log show what the whole log shows', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (all) => {
        const { whole, errors } = await kept(all)
        expect(shown(whole)).toEqual(shown(all))
        expect(shown(compacted(whole))).toEqual(shown(all))
        // What comes after compaction counts as it would have before: the log has not forgotten a version.
        const later = {
          key: 'a',
          value: encodePinChange({ kind: 'upsert', pin: aCataloguePin(asId<PinId>('a')), version: 2 }),
        }
        expect(shown([...compacted(whole), later])).toEqual(shown([...all, later]))
        expect(errors).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  it('lets no record count that nobody can read, nor one under the key of another pin', async () => {
    const unusable = fc.record({ at: fc.nat(12), key: fc.constantFrom('a', 'b'), isMoved: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(changes, fc.array(unusable, { maxLength: 4 }), async (given, spoilt) => {
        const versioned = given.filter(({ value }) => pinStampOf(value)?.version !== null)
        const all: Row[] = [...versioned]
        for (const { at, key, isMoved } of spoilt) {
          const pin = {
            ...aCataloguePin(asId<PinId>(isMoved ? 'c' : key)),
            ...(!isMoved && { visualEmbedding: Float32Array.of(NaN) }),
          }
          all.splice(at, 0, { key, value: encodePinChange({ kind: 'upsert', pin, version: 900 }) })
        }
        const { whole } = await kept(all)
        expect(shown(whole)).toEqual(shown(versioned))
        expect(shown(compacted(whole))).toEqual(shown(versioned))
      }),
      { numRuns: 100 },
    )
  })

  it('lets the same one of several entries with the same version count for all views', async () => {
    await fc.assert(
      fc.asyncProperty(carelessChanges, async (all) => {
        const { whole } = await kept(all)
        expect(shown(compacted(whole))).toEqual(shown(whole))
      }),
      { numRuns: 200 },
    )
  })

  it('does so too if it is killed before its commit or loses the answer of an append, and then goes on from what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(11), fc.constantFrom('append', 'commit'), async (all, cut, failing) => {
        const { log, open, records } = await world()
        for (const { key, value } of all.slice(0, cut)) await log.append('pins.v1', [{ key, value, partition: null }])
        const killed = open({ [failing]: true })
        const batch = { topic: 'pins.v1', partition: 0, from: 0, next: cut, end: cut, records: await records() }
        await killed.handle({ ...batch, next: batch.records.length }).catch(() => undefined)
        for (const { key, value } of all.slice(cut)) await log.append('pins.v1', [{ key, value, partition: null }])
        const keeper = open()
        await keeper.start()
        await log.drain()
        await keeper.stop()
        const whole = await records()
        expect(shown(compacted(whole))).toEqual(shown(all))
      }),
      { numRuns: 100 },
    )
  })

  it('keeps a deleted pin deleted in the log of a data folder, whose compaction waits for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-keeper-'))
    const clock = createVirtualClock(0)
    const environment = await openEnvironment({ folder })
    const log = createLmdbEventLog({ environment, clock, compactEveryMs: null })
    await log.applyTopics(topicLayouts(1))
    const id = asId<PinId>('a')
    const removal: PinChange = { kind: 'delete', pinId: id, version: 5 }
    const late: PinChange = { kind: 'upsert', pin: aCataloguePin(id), version: 3 }
    await log.append(
      'pins.v1',
      [removal, late].map((change) => ({ key: 'a', value: encodePinChange(change), partition: null })),
    )
    await log.compact()
    const store = createMemoryStateStore({ clock })
    const onError = (error: Error): never => {
      throw error
    }
    const keeper = createCatalogueKeeper({ log, store, group: 'updater', maxBatchRecords: 4, onError })
    await keeper.start()
    await expect.poll(() => keeper.stats().records).toBe(3)
    await keeper.stop()
    await clock.advance(2 * 86_400_000)
    await log.compact()
    const found: LogRecord[] = []
    await readToEnd({
      log,
      topic: 'pins.v1',
      maxBatchRecords: 10,
      onRecords: (_, more) => found.push(...more),
      onError,
    })
    expect(found.map(({ key, value }) => decodePinChange(key, value))).toEqual([removal])
    await log.close()
    await environment.close()
    await rm(folder, { recursive: true })
  })

  it('appends nothing if no change is stale, and stops when it has undone what was', async () => {
    const { log, open, records } = await world()
    const keeper = open()
    await keeper.start()
    const pin = aCataloguePin(asId<PinId>('a'))
    const send = (version: number): Promise<unknown> =>
      log.append('pins.v1', [{ key: 'a', value: encodePinChange({ kind: 'upsert', pin, version }), partition: null }])
    for (const version of [1, 2, 2, 7]) await send(version)
    await log.drain()
    expect(await records()).toHaveLength(4)
    await send(3)
    await log.drain()
    expect((await records()).map(({ value }) => pinStampOf(value)?.version)).toEqual([1, 2, 2, 7, 3, 7])
    expect(keeper.stats()).toEqual({ records: 6, stale: 1 })
    await keeper.stop()
  })

  it('keeps nothing of pins without versions', async () => {
    const { log, open, store } = await world()
    const keeper = open()
    await keeper.start()
    await log.append('pins.v1', [
      { key: 'a', value: encodePinChange({ kind: 'delete', pinId: asId<PinId>('a') }), partition: null },
    ])
    await log.drain()
    await keeper.stop()
    const keys: string[] = []
    const tag = await store.pointer('catalogue-log')
    for await (const page of store.scan(`catalogue.${tag}`, 0)) keys.push(...page.map(({ key }) => key))
    expect(keys).toEqual([])
  })

  it('folds by the law: split anywhere, the same pins are kept', () => {
    fc.assert(
      fc.property(changes, fc.nat(11), (all, cut) => {
        const first = foldCatalogue(all.slice(0, cut), new Map())
        const second = foldCatalogue(all.slice(cut), first.kept)
        const kept = new Map([...first.kept, ...second.kept])
        expect(stamps(kept)).toEqual(stamps(foldCatalogue(all, new Map()).kept))
        const law = new Map<string, PinStamp>()
        for (const { key, value } of all) {
          const next = nextPinStamp(law.get(key) ?? null, pinStampOf(value)!)
          if (next !== null) law.set(key, next)
        }
        expect(stamps(kept)).toEqual(
          Object.fromEntries([...law].filter(([, { version }]) => version !== null).toSorted()),
        )
      }),
    )
  })
})

function stamps(kept: ReadonlyMap<string, Uint8Array>): Record<string, PinStamp | null> {
  return Object.fromEntries([...kept].map(([key, value]) => [key, pinStampOf(value)] as const).toSorted())
}
