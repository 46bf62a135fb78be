import { openAccess } from '@freshet/access/access'
import { createTrailShardClient } from '@freshet/adapters/grpc/trail-shard-client'
import { serveTrailShard } from '@freshet/adapters/grpc/trail-shard-server'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { actionNumber, encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { MessageHeaders } from '@freshet/contracts/headers'
import {
  RetrieveRequest,
  SourceStatus,
  type GatherTrailsRequest,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { TrailShard } from '@freshet/contracts/ports/calls'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type BoardId, type PinId } from '@freshet/domain/ids'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createCandidateService, type RunningCandidateService } from './candidate-service.ts'
import { candidateServiceSchema } from './config.ts'
import { remoteShard } from './shards.ts'

const startMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000
const call = { timeoutMs: 20_000 }
const users = 40
const pins = 30
/** So many pins that users mostly take pins they have not had. */
const manyPins = 300

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A TrailShard on its own port; the test can close it early. */
async function listen(shard: TrailShard): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = await startGrpcServer({
    access: openAccess,
    ...z.object(grpcSettings(0)).parse({}),
    port: 0,
    services: [serveTrailShard(shard, { onDefect: () => {} })],
    descriptors: null,
    metrics: createMetrics(),
  })
  closing.push(() => server.close())
  return { address: `127.0.0.1:${server.port}`, close: () => server.close() }
}

/**
 * A whole instance, one that learns nothing, and two shards over one log. If they learn, all of them fold each event
 * before the next one, so that all see the events in the same order.
 */
async function world({ learn }: { readonly learn: boolean }) {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(4))
  const running = new Map<number, RunningCandidateService>()
  const asked: { readonly shard: number; readonly headers: MessageHeaders | undefined }[] = []
  const servers = await Promise.all(
    [0, 1].map((index) =>
      listen({
        gatherTrails: (request: GatherTrailsRequest, options) => {
          asked.push({ shard: index, headers: options.headers })
          return running.get(index)!.gatherTrails(request, options)
        },
      }),
    ),
  )
  const service = (shard: object, peers: readonly TrailShard[]) =>
    createCandidateService({
      log,
      clock,
      config: candidateServiceSchema.parse({
        shardTimeoutMs: 10_000,
        retrieval: { adaptShares: learn, showUnlistedPins: true },
        ...shard,
      }),
      snapshots: null,
      peers,
      pause: async () => {},
      onEvent: () => {},
    })
  const shards = [0, 1].map((shardIndex) => {
    const { address } = servers[1 - shardIndex]!
    const peer = createTrailShardClient({ address })
    closing.push(() => peer.close())
    const shard = service({ shardIndex, shardCount: 2, shardPeers: [address] }, [peer])
    running.set(shardIndex, shard)
    return shard
  })
  const whole = service({}, [])
  const untaught = service({ retrieval: { adaptShares: false, showUnlistedPins: true } }, [])
  const act = (user: number, pin: number, at: number, board: string | null) =>
    log.append('engagements.v1', [
      {
        key: `u${user}`,
        value: encodeEngagement(
          {
            eventId: asId(`${user}-${at}`),
            userId: asId(`u${user}`),
            sessionId: null,
            action: board === null ? 'click' : 'save',
            subject: { kind: 'pin', pinId: asId(`p${pin}`) },
            boardId: board === null ? null : asId<BoardId>(board),
            occurredAtMs: startMs + at * minuteMs,
            shown: { feedId: null, position: null, surface: null },
            dwellMs: null,
          },
          startMs,
        ),
        partition: null,
      },
    ])
  /** Actions of all users on random pins; every third one is a save. */
  const live = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      const user = (at * 7) % users
      const pin = (Math.imul(at, 2_654_435_761) >>> 16) % (learn ? manyPins : pins)
      await act(user, pin, at, at % 3 === 0 ? `b${user % 6}` : null)
      if (learn) await log.drain()
    }
    await log.drain()
  }
  for (const each of [whole, untaught, ...shards]) await each.start()
  closing.push(async () => {
    for (const each of [whole, untaught, ...shards]) await each.stop()
  })
  return { log, whole, untaught, shards, servers, asked, live }
}

/** The `n`th query: a user's last three actions, one of them a save. */
function question(n: number): RetrieveRequest {
  return RetrieveRequest.fromPartial({
    userId: `u${n % users}`,
    atMs: startMs + 10_000 * minuteMs,
    limit: 200,
    recent: {
      pinIds: [0, 1, 2].map((back) => `p${(n * 3 + back * 5) % pins}`),
      actions: Uint8Array.from(['click', 'save', 'click'] as const, actionNumber),
      occurredAtMs: bytesOf(Float64Array.of(9_997, 9_998, 9_999).map((at) => startMs + at * minuteMs)),
      sessionIds: [],
      boardIds: ['', `b${n % 6}`, ''],
    },
  })
}

describe('shards of the trails', () => {
  it('answer exactly as the whole instance does, also after deletions and erasures', async () => {
    const { log, whole, shards, live } = await world({ learn: false })
    const compare = async () => {
      for (let n = 0; n < users; n++) {
        const wanted = await whole.retrieve(question(n), call)
        expect(wanted.sources.find(({ source }) => source === 'session-neighbours')?.status).toBe(SourceStatus.ANSWERED)
        for (const shard of shards) expect(await shard.retrieve(question(n), call)).toEqual(wanted)
      }
    }
    await live(0, 600)
    await compare()
    await log.append('pins.v1', [{ key: 'p3', value: null, partition: null }])
    await log.append('engagements.v1', [
      { key: 'u5', value: null, partition: null },
      { key: 'u12', value: null, partition: null },
    ])
    await live(600, 700)
    await compare()
    expect(shards.map((shard) => shard.stats().rejected)).toEqual([{}, {}])
  }, 120_000)

  it('pass the trace headers of a request on to the other shards', async () => {
    const { shards, asked, live } = await world({ learn: false })
    await live(0, 60)
    asked.length = 0
    const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=b' }
    await shards[0]!.retrieve(question(1), { ...call, headers })
    expect(asked.length).toBeGreaterThan(0)
    for (const one of asked) expect(one).toEqual({ shard: 1, headers })
    asked.length = 0
    await shards[0]!.retrieve(question(1), call)
    expect(asked.length).toBeGreaterThan(0)
    for (const one of asked) expect(one).toEqual({ shard: 1, headers: {} })
  }, 60_000)

  it('learn what the whole instance learns if events come in the same order', async () => {
    const { whole, untaught, shards, live } = await world({ learn: true })
    await live(0, 900)
    const wanted = await whole.retrieve(question(1), call)
    expect(await untaught.retrieve(question(1), call)).not.toEqual(wanted)
    for (const shard of shards) expect(await shard.retrieve(question(1), call)).toEqual(wanted)
  }, 60_000)

  it('keep folding without learning while one is down', async () => {
    const { shards, servers, live } = await world({ learn: true })
    await servers[1]!.close()
    await live(0, 300)
    const [left] = shards
    expect(await left!.lag()).toBe(0)
    expect(left!.stats()).toMatchObject({ pending: 0, rejected: {} })
  }, 60_000)

  it('answer without a shard that is down, name the sources that lack its part, and return what they hold', async () => {
    const { shards, servers, live } = await world({ learn: false })
    await live(0, 300)
    await servers[1]!.close()
    const { pinIds, sources } = await shards[0]!.retrieve(question(1), call)
    expect(pinIds.length).toBeGreaterThan(0)
    const failed = sources.filter(({ status }) => status === SourceStatus.FAILED)
    expect(failed.map(({ source }) => source)).toEqual([
      'session-neighbours',
      'co-occurrence',
      'saved-boards',
      'revisit',
    ])
    expect(failed[0]!.candidateIndices.length).toBeGreaterThan(0)
  }, 60_000)

  it('refuse the part of an instance that is not the expected shard', async () => {
    const { whole } = await world({ learn: false })
    const asked = remoteShard(whole, { index: 1, count: 2 }, () => call)
    const wanted = {
      list: 'trails',
      pinIds: [asId<PinId>('p1')],
      maxPerPin: 5,
      countedPinIds: [],
      asker: null,
    } as const
    await expect(asked.part(wanted)).rejects.toThrow(/shard 1 of 2 says it is 0 of 1/)
  })

  it.each([
    [{ shardIndex: 1 }, /shardIndex[\s\S]*is not below candidates.shardCount, which is 1/],
    [{ shardCount: 3, shardPeers: ['a:1'] }, /has 1 addresses; 3 shards need 2/],
  ])('are not made of settings that contradict each other: %j', (settings, message) => {
    expect(() => candidateServiceSchema.parse(settings)).toThrow(message)
  })
})
