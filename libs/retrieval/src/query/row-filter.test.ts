import { asId, type BoardId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { anEngagement, aQuery, startMs } from '../builders.fixture.ts'
import type { PinFilter } from '../question.ts'
import { createRetrieval, type Retrieval } from '../retrieval.ts'
import { mostListed } from './row-filter.ts'

const atMs = startMs + 86_400_000
const wide: PinFilter = { topics: [], creators: [], boards: [], createdFromMs: null }
const emptyViews = (maxPins = 40_000): Retrieval =>
  createRetrieval({ seed: 1, refresh: 'event', config: { maxPins, maxBoards: 100, maxEdges: 1_000 } })
const topicsOf = (...names: string[]): TopicId[] => names.map((name) => asId<TopicId>(name))

function answerTo(retrieval: Retrieval, filter: PinFilter | null, rest: Parameters<typeof aQuery>[0] = {}) {
  return retrieval.retrieve(aQuery({ atMs, limit: 500, fillTo: 500, filter, ...rest }))
}

const names = ['a', 'b', 'c', 'd']
const hours = fc.option(fc.integer({ min: -3, max: 3 }), { nil: null })
const changes = fc.array(
  fc.record({
    pin: fc.nat(9),
    deleted: fc.nat(4).map((draw) => draw === 0),
    topics: fc.subarray(names),
    creator: fc.constantFrom(null, ...names),
    createdAt: hours,
    availableFrom: hours,
    expiresAt: hours,
    board: fc.constantFrom(null, 'x', 'y z'),
  }),
  { maxLength: 60 },
)
const filters: fc.Arbitrary<PinFilter> = fc.record({
  topics: fc.subarray([...names, 'unknown']).map((given) => topicsOf(...given)),
  creators: fc.subarray(['a', 'unknown']).map((given) => given.map((name) => asId<CreatorId>(name))),
  boards: fc.subarray(['x', 'y z', 'unknown']).map((given) => given.map((name) => asId<BoardId>(name))),
  createdFromMs: hours.map((at) => (at === null ? null : atMs + at * 3_600_000)),
})

describe('a filtered request', () => {
  it('finds exactly the pins that the filter allows at that time, whatever came before, and after a restart', () => {
    fc.assert(
      fc.property(changes, filters, (list, filter) => {
        const retrieval = emptyViews(100)
        const pins = new Map<string, Pin>()
        const boards = new Map<string, Set<string>>()
        const toMs = (at: number | null): number | null => (at === null ? null : atMs + at * 3_600_000)
        for (const { pin: at, deleted, topics, creator, board, ...times } of list) {
          const pinId = asId<PinId>(`p${at}`)
          const pin = aCataloguePin(pinId, {
            topics: topicsOf(...topics),
            creatorId: creator === null ? null : asId<CreatorId>(creator),
            createdAtMs: toMs(times.createdAt),
            availableFromMs: toMs(times.availableFrom),
            expiresAtMs: toMs(times.expiresAt),
          })
          if (deleted) {
            retrieval.foldPin({ kind: 'delete', pinId })
            pins.delete(pinId)
            boards.delete(pinId)
            continue
          }
          retrieval.foldPin({ kind: 'upsert', pin })
          pins.set(pinId, pin)
          if (board === null) continue
          retrieval.foldEngagement(anEngagement({ action: 'save', pinId, boardId: board, userId: 'other' }))
          boards.set(pinId, (boards.get(pinId) ?? new Set()).add(board))
        }
        const isAllowed = (pin: Pin): boolean =>
          (pin.availableFromMs ?? 0) <= atMs &&
          (pin.expiresAtMs ?? Infinity) > atMs &&
          (filter.topics.length === 0 || filter.topics.some((topic) => pin.topics.includes(topic))) &&
          (filter.creators.length === 0 || filter.creators.some((creator) => creator === pin.creatorId)) &&
          (filter.boards.length === 0 || filter.boards.some((board) => boards.get(pin.pinId)?.has(board))) &&
          (filter.createdFromMs === null || (pin.createdAtMs ?? -Infinity) >= filter.createdFromMs)
        const wanted = [...pins.values()].filter(isAllowed).map(({ pinId }) => pinId)
        const answer = answerTo(retrieval, filter)
        expect(answer.pinIds.toSorted()).toEqual(wanted.toSorted())
        expect(answer.exhausted).toBe(true)
        const restored = emptyViews(100)
        restored.restore(retrieval.snapshot(new Uint8Array(0)))
        expect(answerTo(restored, filter).pinIds.toSorted()).toEqual(wanted.toSorted())
      }),
      { numRuns: 40 },
    )
  })

  it('finds the few pins of a topic among many, and the many pins of another one', () => {
    const retrieval = emptyViews()
    const count = mostListed + 5_000
    for (let n = 0; n < count; n++) {
      const topics = topicsOf('many', ...(n % 5_000 === 7 ? ['few'] : []))
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${n}`, { topics }) })
    }
    const few = answerTo(retrieval, { ...wide, topics: topicsOf('few') })
    expect([few.pinIds.length, few.exhausted]).toEqual([5, true])
    const many = answerTo(retrieval, { ...wide, topics: topicsOf('many') })
    expect([many.pinIds.length, many.exhausted]).toEqual([500, false])
  })

  it('leaves the position of the sweep for requests without a filter', () => {
    const retrieval = emptyViews()
    for (let n = 0; n < 900; n++) {
      const pin = aCataloguePin(`p${n}`, { topics: topicsOf(n % 2 === 0 ? 'even' : 'odd') })
      retrieval.foldPin({ kind: 'upsert', pin })
    }
    expect(answerTo(retrieval, { ...wide, topics: topicsOf('odd') }, { sweptTo: 123 }).sweptTo).toBe(123)
    expect(answerTo(retrieval, null, { sweptTo: 123 }).sweptTo).not.toBe(123)
  })

  it('sweeps if the sources that it names include the sweep', () => {
    const retrieval = emptyViews()
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p') })
    const found = (...sources: string[]) => answerTo(retrieval, null, { sources }).pinIds
    expect([found('trending'), found('trending', 'catalogue-sweep'), found('catalogue-sweep')]).toEqual([
      [],
      ['p'],
      ['p'],
    ])
  })
})
