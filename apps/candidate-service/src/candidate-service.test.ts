import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { actionNumber, encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { bytesOf, uint32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type BoardId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { describe, expect, it } from 'vitest'
import { createCandidateService, type CandidateServiceEvent } from './candidate-service.ts'
import { candidateServiceSchema } from './config.ts'

const startMs = Date.UTC(2026, 0, 1)
const call = { timeoutMs: 1_000 }

function clicked(user: string, pin: string, atMs: number, board: string | null = null): Uint8Array {
  return encodeEngagement(
    {
      eventId: asId(`${user}-${pin}-${atMs}`),
      userId: asId(user),
      sessionId: null,
      action: board === null ? 'click' : 'save',
      subject: { kind: 'pin', pinId: asId(pin) },
      boardId: board === null ? null : asId<BoardId>(board),
      occurredAtMs: atMs,
      shown: { feedId: null, position: null, surface: null },
      dwellMs: null,
    },
    atMs,
  )
}

async function world() {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(2))
  const events: CandidateServiceEvent[] = []
  const service = (snapshots: ArtefactStore | null = null, pause = async () => {}, retrieval = {}) =>
    createCandidateService({
      log,
      clock,
      config: candidateServiceSchema.parse({ sliceRecords: 3, retrieval: { showUnlistedPins: true, ...retrieval } }),
      snapshots,
      pause,
      onEvent: (event) => events.push(event),
    })
  const click = (user: string, pin: string, at = 0) =>
    log.append('engagements.v1', [{ key: user, value: clicked(user, pin, startMs + at), partition: null }])
  /** A service that saw ten clicks on four pins, kept a snapshot and stopped. */
  const stoppedAfterTenClicks = async (snapshots: ArtefactStore): Promise<void> => {
    const first = service(snapshots)
    await first.start()
    for (let at = 0; at < 10; at++) await click(`user-${at}`, `pin-${at % 4}`, at)
    await log.drain()
    await first.stop()
  }
  return { clock, log, service, click, events, stoppedAfterTenClicks }
}

const ask = (parts: Partial<RetrieveRequest> = {}): RetrieveRequest =>
  RetrieveRequest.fromPartial({ atMs: startMs + 60_000, limit: 50, ...parts })

describe('candidate service', () => {
  it('finds what was clicked, as soon as the log has it', async () => {
    const { log, service, click } = await world()
    const running = service()
    await running.start()
    for (const user of ['ann', 'bob', 'cat'])
      for (const [at, pin] of ['bread', 'rolls', 'tart'].entries()) await click(user, pin, at * 1000)
    await log.drain()
    const { pinIds } = await running.retrieve(ask(), call)
    expect([...pinIds].sort()).toEqual(['bread', 'rolls', 'tart'])
    await running.stop()
  })

  it('is ready if retention has deleted the whole log, and does not wait for deleted positions', async () => {
    const { clock, log, service, click } = await world()
    const [place] = await click('ann', 'bread')
    await clock.advance(400 * 86_400_000)
    log.compact()
    expect(await log.starts('engagements.v1')).toEqual(await log.ends('engagements.v1'))
    const running = service()
    await running.start()
    await log.drain()
    expect(running.unready()).toBeNull()
    const wanted = { topic: 'engagements.v1', partition: place!.partition, position: place!.position + 1 }
    expect((await running.retrieve(ask({ await: [wanted] }), call)).fresh).toBe(true)
    await running.stop()
  })

  it('waits for the requested positions, and reports when they do not come in time', async () => {
    const { clock, log, service, click } = await world()
    const running = service()
    await running.start()
    const [place] = await click('ann', 'bread')
    const wanted = { topic: 'engagements.v1', partition: place!.partition, position: place!.position + 1 }
    const fresh = running.retrieve(ask({ await: [wanted] }), call)
    await log.drain()
    expect((await fresh).fresh).toBe(true)
    const late = running.retrieve(ask({ await: [{ ...wanted, position: wanted.position + 1 }] }), call)
    await clock.advance(2_000)
    expect((await late).fresh).toBe(false)
    await running.stop()
  })

  it('is not ready before it has read what the log held when it started', async () => {
    const { log, service, click } = await world()
    await click('ann', 'bread')
    const running = service()
    expect(running.unready()).not.toBeNull()
    await running.start()
    await log.drain()
    expect(running.unready()).toBeNull()
    await running.stop()
  })

  it('continues from its snapshot and reads only the rest', async () => {
    const { log, service, click, events, stoppedAfterTenClicks } = await world()
    const snapshots = createMemoryArtefactStore()
    await stoppedAfterTenClicks(snapshots)
    await click('late', 'pin-9', 20)
    const second = service(snapshots)
    await second.start()
    await log.drain()
    expect(events.map(({ kind }) => kind)).toContain('snapshot-restored')
    const { pinIds } = await second.retrieve(ask(), call)
    expect([...pinIds].sort()).toEqual(['pin-0', 'pin-1', 'pin-2', 'pin-3', 'pin-9'])
    expect(second.stats().sessions).toBe(11)
    await second.stop()
  })

  it('answers requests and stops folds while it copies the views for a snapshot, so that it folds each record once', async () => {
    const { log, service, click } = await world()
    const snapshots = createMemoryArtefactStore()
    const found: number[] = []
    let whenPaused = async () => {}
    const first = service(snapshots, () => whenPaused())
    await first.start()
    for (let at = 0; at < 10; at++) await click(`user-${at}`, `pin-${at % 4}`, at)
    await log.drain()
    whenPaused = async () => {
      if (found.length > 2) return
      await click('late', `pin-${found.length}`, 100 + found.length)
      found.push((await first.retrieve(ask(), call)).pinIds.length)
    }
    await first.snapshot()
    expect(found).toEqual([4, 4, 4])
    await log.drain()
    const [second, replayed] = [service(snapshots), service()]
    for (const other of [second, replayed]) await other.start()
    await log.drain()
    expect(await second.retrieve(ask(), call)).toEqual(await replayed.retrieve(ask(), call))
    expect(await first.retrieve(ask(), call)).toEqual(await replayed.retrieve(ask(), call))
    for (const each of [first, second, replayed]) await each.stop()
  })

  it.each([
    ['cut in half', (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2)],
    ['of other bytes', () => new TextEncoder().encode('not a snapshot')],
    ['of another version', (bytes: Uint8Array) => bytes.with(4, 99)],
    ['changed in one bit', (bytes: Uint8Array) => bytes.with(bytes.length - 9, (bytes.at(-9) ?? 0) ^ 1)],
  ])('reads the whole log where the snapshot is %s, and says why', async (_how, broken) => {
    const { log, service, events, stoppedAfterTenClicks } = await world()
    const snapshots = createMemoryArtefactStore()
    await stoppedAfterTenClicks(snapshots)
    const [name] = await snapshots.list('')
    await snapshots.put(name!, broken(await snapshots.get(name!)))
    const second = service(snapshots)
    await second.start()
    await log.drain()
    expect(events.map(({ kind }) => kind)).toContain('snapshot-unusable')
    expect((await second.retrieve(ask(), call)).pinIds).toHaveLength(4)
    await second.stop()
  })

  it.each(['engagements.v1', 'pins.v1'])(
    'A2: a snapshot that is ahead of the log, or of another %s, is named and not used',
    async (topic) => {
      const { log, service, click, events, stoppedAfterTenClicks } = await world()
      const snapshots = createMemoryArtefactStore()
      await stoppedAfterTenClicks(snapshots)
      log.recreate(topic)
      for (let at = 0; at < 20; at++) await click(`another-${at}`, 'pin-7', at)
      const second = service(snapshots)
      await second.start()
      await log.drain()
      const unusable = events.find(({ kind }) => kind === 'snapshot-unusable') as { error: Error } | undefined
      expect(unusable?.error.message).toContain(`it was made from another ${topic} than there is now`)
      expect(second.stats().sessions).toBe(topic === 'engagements.v1' ? 20 : 30)
      await second.stop()
    },
  )

  it('skips records that it cannot use, and counts them by reason', async () => {
    const { log, service, click } = await world()
    const running = service()
    await running.start()
    await log.append('engagements.v1', [{ key: 'ann', value: new Uint8Array([255, 255, 255]), partition: null }])
    await log.append('pins.v1', [{ key: 'a b', value: null, partition: null }])
    const malformed = [Float32Array.of(1, 2), Float32Array.of(Number.NaN, 1), new Float32Array(2), new Float32Array(0)]
    for (const [at, vector] of malformed.entries()) {
      const value = PinEmbedding.encode({
        pinId: `p${at}`,
        vector: bytesOf(vector),
        space: 's',
        updatedAtMs: 1,
        modelVersion: '',
      }).finish()
      await log.append('pin-embeddings.v1', [{ key: `p${at}`, value, partition: null }])
    }
    await click('ann', 'bread')
    await log.drain()
    expect((await running.retrieve(ask(), call)).pinIds).toContain('bread')
    expect(running.stats().rejected).toMatchObject({
      CODEC_INVALID: 2,
      EMBEDDING_WRONG_WIDTH: 1,
      EMBEDDING_NOT_FINITE: 1,
      EMBEDDING_ZERO_NORM: 1,
    })
    await running.stop()
  })

  it('names the embeddings that it searched: of each space the version published last, after a restart too', async () => {
    const { log, service, click } = await world()
    const snapshots = createMemoryArtefactStore()
    const first = service(snapshots)
    await first.start()
    await click('ann', 'bread')
    const publish = (pinId: string, modelVersion: string, updatedAtMs: number) => {
      const vector = bytesOf(Float32Array.of(1, 2, 3))
      const value = PinEmbedding.encode({ pinId, vector, space: 'pin2vec', updatedAtMs, modelVersion }).finish()
      return log.append('pin-embeddings.v1', [{ key: pinId, value, partition: null }])
    }
    await publish('bread', '200', 2)
    await publish('rolls', '100', 1)
    await log.drain()
    const searched = [{ modelId: 'pin2vec', version: '200' }]
    expect((await first.retrieve(ask(), call)).embeddings).toEqual(searched)
    expect((await first.retrieve({ ...ask(), sources: ['popularity'] }, call)).embeddings).toEqual([])
    await first.stop()
    const second = service(snapshots)
    await second.start()
    expect((await second.retrieve(ask(), call)).embeddings).toEqual(searched)
    await second.stop()
  })

  it('removes a deleted pin from answers, and returns it again once it is created again', async () => {
    const { log, service, click } = await world()
    const running = service()
    await running.start()
    const pin = (deleted: boolean): Uint8Array =>
      encodePinChange(
        deleted ? { kind: 'delete', pinId: asId('bread') } : { kind: 'upsert', pin: aCataloguePin('bread') },
      )
    const found = async (): Promise<readonly string[]> => {
      await log.drain()
      return (await running.retrieve(ask(), call)).pinIds
    }
    await click('ann', 'bread')
    await click('bob', 'rolls')
    expect([...(await found())].sort()).toEqual(['bread', 'rolls'])
    await log.append('pins.v1', [{ key: 'bread', value: pin(true), partition: null }])
    expect(await found()).toEqual(['rolls'])
    await log.append('pins.v1', [{ key: 'bread', value: pin(false), partition: null }])
    await click('cat', 'bread', 5_000)
    expect([...(await found())].sort()).toEqual(['bread', 'rolls'])
    await running.stop()
  })

  it('holds a board of 10⁵ pins and a user with 10⁵ actions, and still answers that user and others', async () => {
    const { log, service, click } = await world()
    const running = service()
    await running.start()
    const many = 100_000
    const value = (at: number) => clicked('hoarder', `pin-${at}`, startMs + at, 'everything')
    for (let from = 0; from < many; from += 10_000)
      await log.append(
        'engagements.v1',
        Array.from({ length: 10_000 }, (_, i) => ({ key: 'hoarder', value: value(from + i), partition: null })),
      )
    await click('ann', `pin-${many - 1}`, many)
    await log.drain()
    const recent = {
      pinIds: [`pin-${many - 1}`],
      actions: Uint8Array.of(actionNumber('save')),
      occurredAtMs: bytesOf(Float64Array.of(startMs + many)),
      sessionIds: [],
      boardIds: ['everything'],
      dwellMs: new Uint8Array(0),
    }
    for (const userId of ['ann', 'hoarder']) {
      const { pinIds } = await running.retrieve(ask({ userId, recent, atMs: startMs + 2 * many }), call)
      expect(pinIds).toHaveLength(50)
    }
    const { unlistedPins: pins, sessionActions, rejected } = running.stats()
    expect({ pins, rejected }).toEqual({ pins: many, rejected: {} })
    expect(sessionActions).toBeLessThan(1_000)
    await running.stop()
  }, 60_000)

  it('forgets the boards of a deleted pin, and learns new ones once it is created again', async () => {
    const { log, service } = await world()
    const running = service()
    await running.start()
    const save = (user: string, pin: string, at: number) =>
      log.append('engagements.v1', [
        { key: user, value: clicked(user, pin, startMs + at, `${user}-board`), partition: null },
      ])
    const change = (kind: 'created' | 'deleted') =>
      log.append('pins.v1', [
        {
          key: 'bread',
          value: encodePinChange(
            kind === 'deleted'
              ? { kind: 'delete', pinId: asId('bread') }
              : { kind: 'upsert', pin: aCataloguePin('bread') },
          ),
          partition: null,
        },
      ])
    const beside = async (): Promise<readonly string[]> => {
      await log.drain()
      const sources = ['board-co-occurrence']
      return (await running.retrieve(ask({ relatedToPinId: 'rolls', surface: Surface.RELATED, sources }), call)).pinIds
    }
    await change('created')
    await save('ann', 'bread', 0)
    await save('ann', 'rolls', 1)
    expect(await beside()).toEqual(['bread'])
    await change('deleted')
    expect(await beside()).toEqual([])
    await change('created')
    expect(await beside()).toEqual([])
    await save('bob', 'bread', 2)
    await save('bob', 'rolls', 3)
    expect(await beside()).toEqual(['bread'])
    await running.stop()
  })

  it('says on which board each candidate is, if the request asks for it', async () => {
    const { log, service, click } = await world()
    const running = service()
    await running.start()
    for (const [at, pin] of ['bread', 'rolls', 'soup'].entries())
      await log.append('engagements.v1', [
        {
          key: 'ann',
          value: clicked('ann', pin, startMs + at, pin === 'soup' ? 'dinner' : 'breakfast'),
          partition: null,
        },
      ])
    await click('bob', 'tea')
    await log.drain()
    const { pinIds, boards } = await running.retrieve(ask({ withBoards: true }), call)
    const hashes = uint32Column(boards)
    const [bread, rolls, soup, tea] = ['bread', 'rolls', 'soup', 'tea'].map((pin) => hashes[pinIds.indexOf(pin)])
    expect([bread === rolls, bread === soup, bread === 0, soup === 0, tea]).toEqual([true, false, false, false, 0])
    expect((await running.retrieve(ask(), call)).boards).toHaveLength(0)
    await running.stop()
  })

  it('answers the same after it has warmed up', async () => {
    const { service, stoppedAfterTenClicks } = await world()
    const snapshots = createMemoryArtefactStore()
    await stoppedAfterTenClicks(snapshots)
    const [warm, cold] = [service(snapshots), service(snapshots)]
    await warm.start()
    await cold.start()
    for (let i = 0; i < 3; i++) warm.warmUp()
    const { pinIds, scores } = await cold.retrieve(ask({}), call)
    expect(pinIds.length).toBeGreaterThan(0)
    expect(await warm.retrieve(ask({}), call)).toMatchObject({ pinIds, scores })
    await warm.stop()
    await cold.stop()
  })

  it('refuses an unknown setting of a source, and names it', () => {
    const config = { retrieval: { sources: { magic: { enabled: true } } } }
    expect(() => candidateServiceSchema.parse(config)).toThrow(/magic/)
  })

  it.each([
    [{ limit: 0 }, /limit is 0/],
    [{ limit: 5_000 }, /limit is 5000/],
    [{ atMs: 0 }, /at_ms is 0/],
    [{ sources: ['magic'] }, /sources names "magic"/],
    [{ withoutSources: ['magic'] }, /without_sources names "magic"; there are .*, catalogue-sweep/],
    [{ sources: ['trending'], withoutSources: ['trending'] }, /without_sources leaves no source; leave one/],
    [{ filter: { topicIds: [' a'], creatorIds: [], boardIds: [] } }, /filter.topic_ids begins or ends with a space/],
    [{ userId: 'a b' }, /user_id contains/],
    [{ excludePinIds: [''] }, /exclude_pin_ids is empty/],
    [
      {
        recent: {
          pinIds: ['a'],
          actions: new Uint8Array(2),
          occurredAtMs: new Uint8Array(8),
          sessionIds: [],
          boardIds: [],
          dwellMs: new Uint8Array(0),
        },
      },
      /recent has columns of different lengths/,
    ],
    [
      {
        recent: {
          pinIds: ['a'],
          actions: Uint8Array.of(99),
          occurredAtMs: new Uint8Array(8),
          sessionIds: [],
          boardIds: [],
          dwellMs: new Uint8Array(0),
        },
      },
      /recent.actions holds the unknown number 99/,
    ],
  ])('refuses a malformed request, naming the field: %j', async (parts, message) => {
    const { service } = await world()
    await expect(service().retrieve(ask(parts), call)).rejects.toThrow(message)
  })
})
