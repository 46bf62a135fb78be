import { mix32 } from '@freshet/domain/hash'
import type { Engagement } from '@freshet/domain/engagement'
import { expect, test } from 'vitest'

import { anOpenRetrieval, anEngagement, aQuery, asData, minuteMs, recentClicks, startMs } from '../builders.fixture.ts'
import type { Retrieval } from '../retrieval.ts'
import { gatherIndex } from './gathering.ts'
import type { GatheredList } from './list-part.ts'
import type { IndexShard } from './list-part.ts'

const folds = 3_000

/** The n-th click: sixty users of six tastes, each of which has forty pins; every other user's clicks come with sessions. */
function click(n: number): Engagement {
  const user = mix32(n) % 60
  const pin = (user % 6) * 40 + (mix32(n * 7) % 40)
  const sessionId = user % 2 === 0 ? `s${Math.floor(n / 300)}` : null
  return anEngagement({ userId: `u${user}`, pinId: `p${pin}`, sessionId, atMs: startMs + n * minuteMs })
}

function shardOf(retrieval: Retrieval): IndexShard {
  return {
    part: async (wanted) => retrieval.listPart(wanted),
    tally: async (list, pinIds) => retrieval.listTally(list, pinIds),
  }
}

const make = (index: number, count: number, adaptShares = true): Retrieval =>
  anOpenRetrieval({ config: { adaptShares }, seed: 1, refresh: 'event', shard: { index, count } })

test.each([2, 3])(
  'law: where the order of events is the same, %i shards that teach each other learn what the whole learns',
  async (count) => {
    const [whole, untaught] = [make(0, 1), make(0, 1, false)]
    const shards = Array.from({ length: count }, (_, index) => make(index, count))
    const gather = (shard: Retrieval, query: Parameters<Retrieval['retrieve']>[0]) =>
      gatherIndex(shards.map(shardOf), shard.indexWanted(query))
    const examples = new Array<number>(count).fill(0)
    for (let n = 0; n < folds; n++) {
      const engagement = click(n)
      for (const [at, shard] of shards.entries()) {
        const example = shard.trainingExample(engagement)
        if (example === null) continue
        examples[at] = (examples[at] ?? 0) + 1
        const ranks = shard.learn(example, await gather(shard, example.question))
        for (const other of shards) if (other !== shard) other.learnRanks(ranks)
      }
      for (const each of [whole, untaught, ...shards]) each.foldEngagement(engagement)
    }
    expect(Math.min(...examples)).toBeGreaterThan(10)
    const question = aQuery({ atMs: startMs + folds * minuteMs, recent: recentClicks(['p1', 'p2', 'p3']), limit: 50 })
    const wanted = asData(whole, question)
    expect(wanted).not.toEqual(asData(untaught, question))
    for (const shard of shards) {
      const gathered = await gather(shard, question)
      expect(asData({ ...shard, retrieve: (query) => shard.retrieve(query, gathered) }, question)).toEqual(wanted)
    }
  },
  60_000,
)

const nothing = (list: 'trails' | 'sessions'): GatheredList => ({
  wanted: { list, pinIds: [], maxPerPin: 0, countedPinIds: [], asker: null },
  parts: [],
  countedPinIds: [],
  tallies: [],
  isComplete: true,
})

test('what was learned where other sources are on is not learned', () => {
  const [one, other] = [make(0, 2), make(1, 2)]
  other.learnRanks(Int32Array.of(0))
  expect(other.snapshot(new Uint8Array())).toEqual(make(1, 2).snapshot(new Uint8Array()))
  for (let n = 0; n < 400; n++) {
    const example = one.trainingExample(click(n))
    one.foldEngagement(click(n))
    if (example === null) continue
    const numbers = one.learn(example, { trails: nothing('trails'), sessions: nothing('sessions') })
    other.learnRanks(numbers)
  }
  expect(other.snapshot(new Uint8Array())).not.toEqual(make(1, 2).snapshot(new Uint8Array()))
})
