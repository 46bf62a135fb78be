import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type CreatorId, type TopicId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { noPosition, type RowBatch } from '@freshet/ranking/rows/row-batch'
import { rowJson } from '@freshet/ranking/rows/row-json'
import { describe, expect, it } from 'vitest'
import { trainerSchema } from '../config.ts'
import { createJoinerJob } from './joiner-job.ts'
import { actRecord, featureOf, feedRecord, type ActFixture, type SlateFixture } from './served.fixture.ts'

const startMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000

type JoinerSettings = Partial<ReturnType<typeof trainerSchema.parse>['joiner']>

async function world(artefacts: ArtefactStore | null = createMemoryArtefactStore(), joiner: JoinerSettings = {}) {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(3))
  const errors: Error[] = []
  const given: RowBatch[] = []
  const job = (changed: JoinerSettings = {}) =>
    createJoinerJob({
      log,
      // Nothing happens by itself.
      clock: {
        now: () => clock.now(),
        sleep: (_, signal) =>
          new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
      },
      config: trainerSchema.parse({ joiner: { deliveryMs: 1_000, ...joiner, ...changed } }),
      artefacts,
      onRows: (batch) => given.push(batch),
      onError: (error) => errors.push(error),
    })
  const serve = async (slate: Partial<SlateFixture>): Promise<void> => {
    const feed = { feedId: 'f', userId: 'ada', atMs: clock.now(), pinIds: ['a', 'b', 'c'], ...slate }
    await log.append('feeds-served.v1', [feedRecord(feed)])
  }
  const act = async (given: Partial<ActFixture>): Promise<void> => {
    const made = { userId: 'ada', pinId: 'a', action: 'click' as const, atMs: clock.now(), ...given }
    await log.append('engagements.v1', [actRecord(made)])
  }
  return { clock, log, job, serve, act, errors, given, artefacts }
}

type Job = ReturnType<typeof createJoinerJob>

async function stored(job: Job): Promise<readonly RowBatch[]> {
  const batches: RowBatch[] = []
  for await (const batch of job.readRows(0, Infinity)) batches.push(batch)
  return batches
}

/** The actions of each row, e.g. `f/a click`. */
function summary(batches: readonly RowBatch[]): readonly string[] {
  return batches
    .flatMap((batch) =>
      batch.pinIds.map((pinId, row) => {
        const actions = Object.entries(batch.labels).filter(([name, of]) => name !== 'dwellSeconds' && of[row] === 1)
        const mark = batch.shown[row] === 1 ? '' : ' unshown'
        return [`${batch.feedIds[row]!}/${pinId}${mark}`, ...actions.map(([name]) => name)].join(' ')
      }),
    )
    .sort()
}

describe('the joiner', () => {
  it('writes a row for each shown pin when the window has ended by the clock', async () => {
    const { clock, log, job, serve, act, given, errors } = await world()
    const running = job()
    await running.start()
    await serve({ unshownIds: ['z'] })
    await act({ pinId: 'b', feedId: 'f', action: 'impression' })
    await act({ pinId: 'b', action: 'save', dwellMs: 2_500 })
    await log.drain()
    await clock.advance(30 * minuteMs)
    await running.advance()
    expect(given).toEqual([])
    await clock.advance(2_000)
    await running.advance()
    expect(summary(given)).toEqual(['f/a', 'f/b impression save', 'f/c', 'f/z unshown'])
    expect(summary(await stored(running))).toEqual(summary(given))
    expect(running.stats()).toMatchObject({ positions: 3, rows: 3, unshown: 1, matched: 2, engagements: 2, stored: 4 })
    await running.stop()
    expect(errors).toEqual([])
  })

  it('keeps what was served: features, ranks, scores, position, propensity, versions, topics and creator', async () => {
    const { clock, log, job, serve, act, given } = await world()
    const running = job()
    const pin = aCataloguePin('b', { topics: [asId<TopicId>('bread')], creatorId: asId<CreatorId>('ann') })
    await log.append('pins.v1', [{ key: 'b', value: encodePinChange({ kind: 'upsert', pin }), partition: null }])
    await running.start()
    await serve({ unshownIds: ['z'] })
    await act({ pinId: 'b', action: 'closeup', dwellMs: 2_500, feedId: 'f' })
    await log.drain()
    await clock.advance(31 * minuteMs)
    await running.advance()
    const [batch] = given as [RowBatch]
    const row = batch.pinIds.indexOf('b')
    expect(rowJson(batch, row)).toEqual({
      labels: expect.objectContaining({ closeup: 1, click: 0, impression: 0, dwellSeconds: 2.5 }) as object,
      values: {
        user: 'ada',
        pin: 'b',
        creator: 'ann',
        topics: ['bread'],
        surface: 'home',
        at: startMs,
        position: 11,
        propensity: 0.5,
        'retrieval.rank': 4,
        'retrieval.score': 0.25,
        'source.popular.rank': 1,
        'source.popular.score': 0.5,
        sources: ['popular'],
        age: featureOf('f', 'b', 0),
        clicks: featureOf('f', 'b', 1),
      },
      weight: 1,
    })
    expect([batch.modelVersions[row], batch.planVersions[row]]).toEqual(['home-1', 'plan-7'])
    const unshown = batch.pinIds.indexOf('z')
    expect(batch).toMatchObject({ rows: 4 })
    expect([batch.shown[unshown], batch.position[unshown], batch.weight[unshown]]).toEqual([0, noPosition, 4])
    await running.stop()
  })

  it('prefers the facts that the ranker used to those of now, and keeps the locale', async () => {
    const { clock, log, job, serve, given } = await world()
    const running = job()
    const pins = ['a', 'b', 'c'].map((id) =>
      aCataloguePin(id, { topics: [asId<TopicId>('now')], creatorId: asId<CreatorId>('bob') }),
    )
    await log.append(
      'pins.v1',
      pins.map((pin) => ({ key: pin.pinId, value: encodePinChange({ kind: 'upsert', pin }), partition: null })),
    )
    await running.start()
    await serve({
      feedId: 'f',
      locale: 'de',
      facts: { 'pin.topics': [['then', 'too'], [], ['then']] },
      unshownIds: ['c'],
    })
    await serve({
      feedId: 'g',
      facts: { 'pin.creator': [['ann'], ['ann']], 'pin.topics': [['then'], ['then'], ['then']] },
    })
    await log.drain()
    await clock.advance(31 * minuteMs)
    await running.advance()
    const rows = given.flatMap((batch) =>
      batch.pinIds.map(
        (pin, row) =>
          `${batch.feedIds[row]!}/${pin} ${batch.locales[row]!} ${batch.creatorIds[row]!} ${batch.topics[row]!.join()}`,
      ),
    )
    expect(rows).toEqual([
      'f/a de bob then,too',
      'f/b de bob ',
      'f/c de bob then',
      'f/c de bob now',
      // A column with facts of two pins is not one of three.
      'g/a  bob then',
      'g/b  bob then',
      'g/c  bob then',
    ])
    await running.stop()
  })

  it('waits for the record of a feed that comes after its actions', async () => {
    const { clock, log, job, serve, act, given } = await world()
    const running = job()
    await running.start()
    await act({ pinId: 'a', feedId: 'f' })
    await act({ pinId: 'c' })
    await log.drain()
    await serve({})
    await log.drain()
    await clock.advance(31 * minuteMs)
    await running.advance()
    expect(summary(given)).toEqual(['f/a click', 'f/b', 'f/c click'])
    await running.stop()
  })

  it('writes a row again when a late action changes its labels', async () => {
    const { clock, log, job, serve, act, given } = await world()
    const running = job()
    await running.start()
    await serve({})
    await log.drain()
    await clock.advance(40 * minuteMs)
    await running.advance()
    for (const action of ['save', 'save', 'closeup'] as const) await act({ pinId: 'b', feedId: 'f', action })
    await log.drain()
    expect(given.map(({ revision }) => [...revision])).toEqual([[0, 0, 0], [1], [2]])
    expect(summary(await stored(running))).toEqual(['f/a', 'f/b closeup save', 'f/c'])
    await clock.advance(7 * 60 * minuteMs)
    await running.advance()
    await act({ pinId: 'b', feedId: 'f', action: 'hide' })
    await log.drain()
    await clock.advance(minuteMs)
    await running.advance()
    expect(running.stats()).toMatchObject({ late: 3, corrections: 2, waiting: { feeds: 0 } })
    expect(running.stats()?.unmatched['feed-unknown']).toBe(1)
    await running.stop()
  })

  it('keeps the chosen share of rows without an action, always the same, with weight and log odds', async () => {
    const runs = []
    for (const lateWindowMs of [0, 21_600_000]) {
      const { clock, log, job, serve, act, given } = await world(null, { negativeRate: 0.25, lateWindowMs })
      const running = job()
      await running.start()
      const pinIds = Array.from({ length: 200 }, (_, at) => `p${at}`)
      await serve({ pinIds })
      await act({ pinId: 'p7', feedId: 'f' })
      await act({ pinId: 'p8', feedId: 'f', action: 'impression' })
      await log.drain()
      await clock.advance(31 * minuteMs)
      await running.advance()
      const [batch] = given as [RowBatch]
      const { rows, dropped } = running.stats()!
      expect(rows + dropped.sampled).toBe(200)
      expect(rows).toBeGreaterThan(30)
      expect(rows).toBeLessThan(75)
      const clicked = batch.pinIds.indexOf('p7')
      expect([...batch.weight]).toEqual(batch.pinIds.map((_, row) => (row === clicked ? 1 : 4)))
      expect(new Set(batch.logOdds)).toEqual(new Set([Math.fround(Math.log(0.25))]))
      runs.push(batch.pinIds)
      await running.stop()
    }
    expect(runs[0]).toEqual(runs[1])
  })

  it('gives the same rows when records of feeds are in files instead of memory', async () => {
    const results = []
    for (const maxMemoryBytes of [65_536, 2 ** 30]) {
      const { clock, log, job, serve, act, errors } = await world(undefined, { maxMemoryBytes })
      const running = job()
      await running.start()
      for (let i = 0; i < 300; i++) {
        await serve({ feedId: `f${i}`, userId: `u${i % 7}`, pinIds: Array.from({ length: 20 }, (_, at) => `p${at}`) })
        await act({ userId: `u${i % 7}`, feedId: `f${i}`, pinId: `p${i % 20}` })
        await clock.advance(minuteMs / 10)
      }
      await log.drain()
      results.push({ spilled: running.stats()!.waiting.spilled > 0, bytes: running.stats()!.waiting.bytes })
      await clock.advance(32 * minuteMs)
      await running.advance()
      results.push(summary(await stored(running)))
      expect(running.stats()!.rows).toBe(6_000)
      expect(errors).toEqual([])
      await running.stop()
    }
    expect(results[0]).toMatchObject({ spilled: true })
    expect((results[0] as { bytes: number }).bytes).toBeLessThanOrEqual(65_536)
    expect(results[2]).toMatchObject({ spilled: false })
    expect(results[3]).toEqual(results[1])
  })

  it('closes windows early if it has no files and too little memory', async () => {
    const { log, job, serve, given } = await world(null, { maxMemoryBytes: 65_536 })
    const running = job()
    await running.start()
    for (let i = 0; i < 200; i++)
      await serve({ feedId: `f${i}`, pinIds: Array.from({ length: 20 }, (_, at) => `p${at}`) })
    await log.drain()
    expect(running.stats()!.waiting.bytes).toBeLessThanOrEqual(65_536)
    expect(running.stats()!.closedEarly).toBeGreaterThan(0)
    expect(given.reduce((sum, { rows }) => sum + rows, 0)).toBe(20 * running.stats()!.closedEarly)
    await running.stop()
  })

  it('goes on from its checkpoint, and writes again what a crash left uncommitted', async () => {
    const { clock, log, job, serve, act } = await world()
    const first = job()
    await first.start()
    await serve({ feedId: 'f' })
    await log.drain()
    await first.stop()
    await act({ pinId: 'b', feedId: 'f' })
    await clock.advance(31 * minuteMs)
    // It reads and writes, and never gets to a checkpoint.
    const crashed = job()
    await crashed.start()
    await log.drain()
    await crashed.advance()
    expect(summary(await stored(crashed))).toEqual(['f/a', 'f/b click', 'f/c'])
    const second = job()
    await second.start()
    await log.drain()
    await second.advance()
    expect(summary(await stored(second))).toEqual(['f/a', 'f/b click', 'f/c'])
    expect(second.stats()).toMatchObject({ positions: 3, rows: 3, engagements: 1, matched: 1 })
    await second.stop()
  })

  it('reads the log again and writes all rows again if the checkpoint is damaged, and reports that', async () => {
    const { clock, log, job, serve, errors, artefacts } = await world()
    const first = job()
    await first.start()
    await serve({})
    await log.drain()
    await clock.advance(31 * minuteMs)
    await first.advance()
    await first.stop()
    const bytes = await artefacts!.get('trainer/joiner.checkpoint')
    await artefacts!.put('trainer/joiner.checkpoint', bytes.slice(0, bytes.length / 2))
    const second = job()
    await second.start()
    await log.drain()
    await second.advance()
    expect(summary(await stored(second))).toEqual(['f/a', 'f/b', 'f/c'])
    expect(errors).toMatchObject([{ code: 'SNAPSHOT_TRUNCATED' }])
    await second.stop()
  })

  it('A2: closes the feeds of a lost log as they are, reports that, and reads the new log from its start', async () => {
    const { clock, log, job, serve, act, errors } = await world()
    const first = job()
    await first.start()
    await serve({})
    await act({ feedId: 'f' })
    await log.drain()
    await first.stop()
    log.recreate('feeds-served.v1')
    log.recreate('engagements.v1')
    const second = job()
    await second.start()
    await serve({ feedId: 'g' })
    await log.drain()
    await clock.advance(31 * minuteMs)
    await second.advance()
    expect(summary(await stored(second))).toEqual(['f/a click', 'f/b', 'f/c', 'g/a', 'g/b', 'g/c'])
    expect(errors).toMatchObject([{ code: 'LOG_REPLACED' }])
    await second.stop()
  })

  it('drops a feed whose record is damaged inside, and goes on', async () => {
    const { clock, log, job, serve, errors } = await world()
    const running = job()
    await running.start()
    const { key, value } = feedRecord({ feedId: 'damaged', userId: 'ada', atMs: clock.now(), pinIds: ['a', 'b'] })
    // A stage report of one byte, which is the key of a field without its value.
    const damaged = Uint8Array.of(...value!, 0x8a, 0x01, 1, 0x0a)
    await log.append('feeds-served.v1', [{ key, value: damaged, partition: null }])
    await serve({})
    await log.drain()
    await clock.advance(31 * minuteMs)
    await running.advance()
    expect(summary(await stored(running))).toEqual(['f/a', 'f/b', 'f/c'])
    expect(running.stats()?.dropped.unreadable).toBe(2)
    expect(errors).toMatchObject([{ code: 'CODEC_INVALID' }])
    await running.stop()
  })

  it('counts records that it cannot read, and goes on', async () => {
    const { clock, log, job, serve } = await world()
    const running = job()
    await running.start()
    await log.append('feeds-served.v1', [{ key: 'ada', value: Uint8Array.of(0xff, 1), partition: null }])
    await log.append('engagements.v1', [{ key: 'ada', value: Uint8Array.of(0xff, 1), partition: null }])
    await serve({ feedId: '' })
    await serve({})
    await log.drain()
    await clock.advance(31 * minuteMs)
    await running.advance()
    expect(running.stats()).toMatchObject({ rejected: 1, positions: 6, rows: 3, engagements: 1 })
    expect(running.stats()?.dropped.invalid).toBe(3)
    expect(running.stats()?.unmatched.invalid).toBe(1)
    await running.stop()
  })
})
