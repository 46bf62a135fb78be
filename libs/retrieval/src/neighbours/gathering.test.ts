import { asId, type BoardId, type PinId, type SessionId, type UserId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { anOpenRetrieval, anEngagement, aQuery, asData, minuteMs, recentClicks, startMs } from '../builders.fixture.ts'
import type { RecentAction } from '../question.ts'
import type { Retrieval } from '../retrieval.ts'
import { gatherIndex, type GatheredIndex } from './gathering.ts'
import type { IndexShard } from './list-part.ts'
import { listNames } from './neighbour-index.ts'

const sources = {
  'session-neighbours': { parameters: { maxTrailsPerPin: 4, maxNeighbours: 6 } },
  'saved-boards': { parameters: { maxTrailsPerPin: 3 } },
  'co-occurrence': { parameters: { maxSessionsPerPin: 5 } },
  // They do not read the index, and take long to make.
  pin2vec: { enabled: false },
  'visual-neighbours': { enabled: false },
}

function aRetrieval(index: number, count: number): Retrieval {
  return anOpenRetrieval({
    seed: 1,
    refresh: 'event',
    config: { maxSessionsPerPin: 20, sources },
    shard: { index, count },
  })
}

function shardOf(retrieval: Retrieval): IndexShard {
  return {
    part: async (wanted) => retrieval.listPart(wanted),
    tally: async (list, pinIds) => retrieval.listTally(list, pinIds),
  }
}

const dead: IndexShard = {
  part: () => Promise.reject(new Error('gone')),
  tally: () => Promise.reject(new Error('gone')),
}

const pinOf = (pin: number): PinId => asId<PinId>(`p${pin}`)
const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      user: fc.nat(25),
      pin: fc.nat(12),
      board: fc.option(fc.nat(2)),
      session: fc.option(fc.nat(2)),
      minutes: fc.constantFrom(0, 1, 2, 3, 40),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), user: fc.nat(25) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), pin: fc.nat(12) }) },
)

test('law: an answer from shards of the index equals the answer of the whole index, source by source, bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 150, size: 'max' }),
      fc.integer({ min: 2, max: 4 }),
      fc.array(fc.record({ pin: fc.nat(12), board: fc.option(fc.nat(2)) }), { minLength: 1, maxLength: 5 }),
      fc.option(fc.nat(2)),
      async (steps, count, asked, session) => {
        const whole = aRetrieval(0, 1)
        const shards = Array.from({ length: count }, (_, index) => aRetrieval(index, count))
        let atMs = startMs
        for (const each of steps) {
          for (const retrieval of [whole, ...shards]) {
            if (each.kind === 'erase') retrieval.foldErasure(asId<UserId>(`u${each.user}`))
            else if (each.kind === 'remove') retrieval.foldPin({ kind: 'delete', pinId: pinOf(each.pin) })
            else {
              const action = each.board === null ? ('click' as const) : ('save' as const)
              const boardId = each.board === null ? null : asId<BoardId>(`b${each.board}`)
              const at = { userId: `u${each.user}`, pinId: `p${each.pin}`, atMs: atMs + each.minutes * minuteMs }
              const sessionId = each.session === null ? null : `s${each.session}`
              retrieval.foldEngagement({ ...anEngagement({ ...at, sessionId }), action, boardId })
            }
          }
          if (each.kind === 'act') atMs += each.minutes * minuteMs
        }
        const clicks = recentClicks(
          asked.map(({ pin }) => `p${pin}`),
          atMs + minuteMs,
        )
        const recent = asked.map(({ board }, i): RecentAction => {
          const click = clicks[i]!
          return board === null ? click : { ...click, action: 'save', boardId: asId<BoardId>(`b${board}`) }
        })
        const sessionId = session === null ? null : asId<SessionId>(`s${session}`)
        const query = aQuery({ userId: asId<UserId>('u3'), sessionId, recent, atMs: atMs + minuteMs })
        const answering = shards[0]!
        const gathered = await gatherIndex(shards.map(shardOf), answering.indexWanted(query))
        expect(listNames.map((list) => gathered[list].isComplete)).toEqual([true, true])
        expect(asData({ ...answering, retrieve: (query) => answering.retrieve(query, gathered) }, query)).toEqual(
          asData(whole, query),
        )
      },
    ),
    { numRuns: 200 },
  )
}, 120_000)

test('without the answer of a shard, sources use what the others hold, and the answer names the sources that read the index', async () => {
  const shards = [aRetrieval(0, 2), aRetrieval(1, 2)]
  const users = Array.from({ length: 12 }, (_, user) => `u${user}`)
  for (const retrieval of shards)
    for (const userId of users)
      for (const [at, pinId] of ['p1', 'p2'].entries())
        retrieval.foldEngagement(anEngagement({ userId, pinId, atMs: startMs + at * minuteMs }))
  const readers = ['co-occurrence', 'revisit', 'saved-boards', 'session-neighbours']
  const query = aQuery({ recent: recentClicks(['p1']) })
  const wanted = shards[0]!.indexWanted(query)
  const ask = (gathered: GatheredIndex) => shards[0]!.retrieve(query, gathered)
  const half = ask(await gatherIndex([shardOf(shards[0]!), dead], wanted))
  expect(half.incomplete.toSorted()).toEqual(readers)
  expect(half.sources.find(({ name }) => name === 'session-neighbours')?.candidates.length).toBeGreaterThan(0)
  expect(ask(await gatherIndex(shards.map(shardOf), wanted)).incomplete).toEqual([])
})

test('a shard refuses the snapshot of another shard', () => {
  const bytes = aRetrieval(0, 2).snapshot(new Uint8Array())
  expect(() => aRetrieval(1, 2).restore(bytes)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_OTHER_CONFIG' }))
  expect(aRetrieval(0, 2).restore(bytes)).toEqual(new Uint8Array())
})
