import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type CreatorId, type TopicId } from '@freshet/domain/ids'
import { describe, expect, it } from 'vitest'

import { aQuery, dayMs, foldTrail, pins, startMs } from '../builders.fixture.ts'
import type { RecentAction } from '../question.ts'
import { createRetrieval, type Retrieval } from '../retrieval.ts'

const atMs = startMs + dayMs

function acted(...acts: readonly (readonly [action: RecentAction['action'], pinId: string])[]): RecentAction[] {
  return acts.map(([action, pinId], n) => ({
    pinId: pins(pinId)[0]!,
    action,
    occurredAtMs: atMs - (acts.length - n) * 1_000,
    sessionId: null,
    boardId: null,
  }))
}

/** Twenty equally popular pins of two topics. */
function twoTopics(): Retrieval {
  const retrieval = createRetrieval({ seed: 1, refresh: 'event' })
  for (let n = 0; n < 20; n++) {
    const topics = [asId<TopicId>(n % 2 === 0 ? 'even' : 'odd')]
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${n}`, { topics, creatorId: asId<CreatorId>(`c${n}`) }) })
    foldTrail(retrieval, `u${n}`, [`p${n}`])
  }
  return retrieval
}

const scoresOf = (retrieval: Retrieval, recent: readonly RecentAction[]) => {
  const { pinIds, scores } = retrieval.retrieve(aQuery({ atMs, recent, sources: ['popularity'] }))
  return new Map(pinIds.map((pinId, at) => [pinId as string, scores[at] ?? 0]))
}

describe('A8: what a user took back', () => {
  it('lowers the scores of pins of its topic only', () => {
    const retrieval = twoTopics()
    const before = scoresOf(retrieval, [])
    const after = scoresOf(retrieval, acted(['save', 'p0'], ['unsave', 'p0'], ['hide', 'p2']))
    expect((after.get('p4') ?? 1) / (after.get('p5') ?? 1)).toBeCloseTo(Math.exp(-2), 2)
    expect((before.get('p4') ?? 1) / (before.get('p5') ?? 1)).toBeCloseTo(1, 2)
  })

  it('does not lower a topic that the user likes on balance', () => {
    const recent = acted(['save', 'p0'], ['save', 'p2'], ['hide', 'p6'])
    const after = scoresOf(twoTopics(), recent)
    expect((after.get('p4') ?? 1) / (after.get('p5') ?? 1)).toBeCloseTo(1, 2)
  })

  it('is not a start of any source', () => {
    const retrieval = createRetrieval({ seed: 1, refresh: 'event' })
    for (let n = 0; n < 9; n++) foldTrail(retrieval, `u${n}`, ['a', 'b', 'c'])
    for (const name of retrieval.sourceNames) {
      const ask = (recent: readonly RecentAction[]) =>
        retrieval.retrieve(aQuery({ atMs, recent, exclude: pins('a'), sources: [name] })).pinIds
      for (const action of ['unsave', 'hide', 'report', 'dismiss'] as const)
        expect([name, action, ask(acted(['save', 'a'], [action, 'a']))]).toEqual([name, action, ask([])])
    }
  })

  it('does not change scores of related pins, and is not a start there either', () => {
    const retrieval = twoTopics()
    const query = aQuery({ atMs, surface: 'related', pinId: pins('p4')[0]!, sources: ['popularity'] })
    const plain = retrieval.retrieve(query)
    const after = retrieval.retrieve({ ...query, recent: acted(['save', 'p0'], ['unsave', 'p0']) })
    expect(after.pinIds).toEqual(plain.pinIds)
  })
})
