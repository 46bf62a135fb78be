import { actions, type Action } from '@freshet/domain/engagement'
import { expect, it } from 'vitest'
import { anOpenRetrieval, aQuery, foldTrail, recentClicks } from '../builders.fixture.ts'
import type { Source, SourceQuery } from '../source.ts'
import { seedsOf } from './seeds.ts'

function seedsFrom(rows: readonly number[], recent: readonly (readonly [row: number, action: Action])[]): number[] {
  const query = {
    recentCount: recent.length,
    recentRows: Int32Array.from(recent, ([row]) => row),
    recentActions: Uint8Array.from(recent, ([, action]) => actions.indexOf(action)),
    // The request has one more action before these.
    recentPlaces: Int32Array.from(recent, (_, at) => at + 1),
  } as unknown as SourceQuery
  return [...seedsOf({ startedFrom: () => rows } as unknown as Source, query)]
}

it('names for each pin its save, else the newest action, in the order of the source', () => {
  const recent = [
    [7, 'save'],
    [8, 'closeup'],
    [7, 'click'],
    [8, 'click'],
  ] as const
  expect(seedsFrom([8, 7], recent)).toEqual([4, 1])
})

it('names at most eight, and no pin on which the user did not act', () => {
  const recent = Array.from({ length: 12 }, (_, row) => [row, 'click'] as const)
  expect(seedsFrom([99, 11, 10, 9, 8, 7, 6, 5, 4, 3], recent).length).toBeLessThanOrEqual(8)
  expect(seedsFrom([99, 11], recent)).toEqual([12])
})

it('reaches the answer of a retrieval: sources that start from what the user did name it, others nothing', () => {
  const retrieval = anOpenRetrieval()
  foldTrail(retrieval, 'other', ['a', 'b', 'c', 'd'])
  const { seeds } = retrieval.retrieve(aQuery({ recent: recentClicks(['a', 'unknown', 'b']) }))
  expect([...seeds.get('co-occurrence')!]).toEqual([2, 0])
  expect([...seeds.get('session-neighbours')!]).toEqual([2, 0])
  expect([...seeds.get('pixie-walk')!]).toEqual([2, 0])
  expect([...seeds.get('popularity')!]).toEqual([])
})
