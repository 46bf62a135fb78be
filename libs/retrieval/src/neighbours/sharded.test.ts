import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { aQuery, minuteMs, recentClicks, startMs } from '../builders.fixture.ts'
import { createCatalogue, type Catalogue } from '../catalogue.ts'
import { uninterrupted } from '../interruption.ts'
import { createQueryBuilder } from '../query.ts'
import { createHits, createScoreBoard, type Hits } from '../score-board.ts'
import { createSessions, type Sessions } from '../sessions.ts'
import { sessionNeighbours } from '../sources/session-neighbours.ts'
import { createNeighbourShard } from './shard.ts'
import { createShardedNeighbours, localShard } from './sharded.ts'

const config = { maxRecentActions: 50, sessionGapMs: 30 * minuteMs }

function aView(): { readonly catalogue: Catalogue; readonly trails: Sessions; readonly sessions: Sessions } {
  const caps = {
    maxSessions: 1000,
    maxSessionActions: 100_000,
    maxActionsPerSession: 50,
    maxSessionsPerPin: 20,
    sessionGapMs: 30 * minuteMs,
  }
  return {
    catalogue: createCatalogue({ maxPins: 1000, seed: 1 }),
    trails: createSessions({ ...caps, grouping: 'user' }),
    sessions: createSessions({ ...caps, grouping: 'session' }),
  }
}

function fold(view: ReturnType<typeof aView>, userId: string, pin: number, atMs: number): void {
  view.trails.fold({ userId, sessionId: null, pinRow: view.catalogue.intern(asId<PinId>(`p${pin}`)), atMs })
}

function answerOf(hits: Hits, catalogue: Catalogue): unknown {
  return Array.from({ length: hits.count }, (_, i) => [catalogue.pinIdOf(hits.rows[i] ?? 0), hits.scores[i]])
}

test('law: neighbours over shards are the neighbours of the whole, bit for bit', async () => {
  const action = fc.record({ user: fc.nat(25), pin: fc.nat(12), minutes: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 150, size: 'max' }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(12), { minLength: 1, maxLength: 5 }),
      async (actions, shardCount, asked) => {
        const parameters = { ...sessionNeighbours.parameters, maxTrailsPerPin: 4, maxNeighbours: 6 }
        const whole = aView()
        const parts = Array.from({ length: shardCount }, aView)
        const coordinator = aView()
        let atMs = startMs
        for (const { user, pin, minutes } of actions) {
          atMs += minutes * minuteMs
          fold(whole, `u${user}`, pin, atMs)
          fold(parts[partitionOf(`u${user}`, shardCount)]!, `u${user}`, pin, atMs)
        }
        for (const pin of asked) coordinator.catalogue.intern(asId<PinId>(`p${pin}`))
        for (const pin of asked) whole.catalogue.intern(asId<PinId>(`p${pin}`))
        const request = aQuery({
          userId: asId<UserId>('u3'),
          recent: recentClicks(
            asked.map((pin) => `p${pin}`),
            atMs + minuteMs,
          ),
          atMs: atMs + minuteMs,
        })

        const source = sessionNeighbours.create(
          {
            ...whole,
            board: createScoreBoard(whole.catalogue),
            seed: 1,
            graph: () => expect.fail('has no use for a graph'),
          },
          parameters,
        )
        const fromWhole = createHits(50)
        source.query(createQueryBuilder({ ...whole, config }).build(request), fromWhole, uninterrupted)

        const sharded = createShardedNeighbours({
          shards: parts.map((part) =>
            localShard(createNeighbourShard({ ...part, maxTrailsPerPin: parameters.maxTrailsPerPin })),
          ),
          catalogue: coordinator.catalogue,
          board: createScoreBoard(coordinator.catalogue),
          parameters,
        })
        const fromShards = createHits(50)
        await sharded.query(createQueryBuilder({ ...coordinator, config }).build(request), fromShards)

        expect(answerOf(fromShards, coordinator.catalogue)).toEqual(answerOf(fromWhole, whole.catalogue))
      },
    ),
    { numRuns: 200 },
  )
})
