import { asId, type PinId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { anEngagement, onlySource, pins, startMs } from '../builders.fixture.ts'
import { createRetrieval, type Retrieval } from '../retrieval.ts'

const off = createRetrieval({ seed: 1, refresh: 'event', config: { maxPins: 100 } }).sourceNames.filter(
  (name) => name !== 'board-co-occurrence',
)
/** Small views with one source that uses boards, because a property makes many of them. */
const emptyViews = (): Retrieval =>
  createRetrieval({
    seed: 1,
    refresh: 'event',
    config: {
      maxPins: 100,
      maxBoards: 100,
      maxEdges: 1_000,
      sources: Object.fromEntries(off.map((name) => [name, { enabled: false }])),
    },
  })
const names = ['x', 'y', 'z']
const somePins = pins('p0', 'p1', 'p2')

interface Save {
  readonly pinId: string
  readonly boardId: string
  readonly at: number
  readonly userId?: string
}

const save = (
  retrieval: Retrieval,
  { pinId, boardId, at, userId = 'u' }: Save,
  action: 'save' | 'unsave' = 'save',
): void => retrieval.foldEngagement(anEngagement({ action, pinId, boardId, userId, atMs: startMs + at * 1_000 }))

/** Views that hold each board with one pin of its own, which tells the hash of the board. */
function withBoards(): Retrieval {
  const retrieval = emptyViews()
  names.forEach((boardId) => save(retrieval, { pinId: `only-${boardId}`, boardId, at: 0, userId: 'other' }))
  return retrieval
}

/** The boards of pins by name; null: none. */
function boardNames(retrieval: Retrieval, pinIds: readonly PinId[]): (string | null)[] {
  const hashes = retrieval.boardsOf(pins(...names.map((name) => `only-${name}`)))!
  expect(new Set([0, ...hashes]).size).toBe(names.length + 1)
  return [...retrieval.boardsOf(pinIds)!].map((hash) => (hash === 0 ? null : names[hashes.indexOf(hash)]!))
}

describe('the last board of a pin', () => {
  it('a law: is that of the last save that was not taken back, also after a restart', () => {
    const step = fc.record({
      pin: fc.nat(2),
      board: fc.constantFrom(...names),
      what: fc.constantFrom('save', 'save', 'save', 'unsave', 'click', 'delete'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const retrieval = withBoards()
        const saved = somePins.map(() => new Map<string, number>())
        steps.forEach(({ pin, board, what }, at) => {
          const pinId = somePins[pin]!
          const act = { pinId, boardId: board, at: at + 1 }
          if (what === 'delete') {
            retrieval.foldPin({ kind: 'delete', pinId })
            retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId) })
            saved[pin]!.clear()
          } else if (what === 'click') {
            const atMs = startMs + act.at * 1_000
            retrieval.foldEngagement(anEngagement({ pinId, userId: `user-${at}`, atMs }))
          } else {
            save(retrieval, act, what === 'unsave' ? 'unsave' : 'save')
            if (what === 'save') saved[pin]!.set(board, act.at)
            else saved[pin]!.delete(board)
          }
        })
        const wanted = saved.map((boards) => [...boards].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null)
        expect(boardNames(retrieval, somePins)).toEqual(wanted)
        const restored = emptyViews()
        restored.restore(retrieval.snapshot(new Uint8Array(0)))
        expect(boardNames(restored, somePins)).toEqual(wanted)
      }),
      { numRuns: 40 },
    )
  })

  it('goes by the time of the saves, not by their arrival', () => {
    const retrieval = withBoards()
    save(retrieval, { pinId: 'p0', boardId: 'y', at: 20 })
    save(retrieval, { pinId: 'p0', boardId: 'x', at: 10 })
    expect(boardNames(retrieval, somePins)).toEqual(['y', null, null])
  })

  it('is none for unknown pins, and not known where no source keeps boards', () => {
    const retrieval = withBoards()
    expect([...retrieval.boardsOf([asId<PinId>('unknown')])!]).toEqual([0])
    expect(onlySource('revisit').boardsOf(somePins)).toBeNull()
  })
})
