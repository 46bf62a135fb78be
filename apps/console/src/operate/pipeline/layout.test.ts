import { describe, expect, it } from 'vitest'
import { phasesOf, removalsOf, streamWidth, type StageFlow } from './layout.ts'

const stage = (name: string, given: Partial<StageFlow> = {}): StageFlow => ({
  ...{ stage: name, candidatesIn: 100, candidatesOut: 100, tookMs: 0.01, removed: {}, errors: {}, share: 1 },
  ...given,
})

describe('the drawing of a pipeline', () => {
  const flows = [
    stage('user-state', { tookMs: 1 }),
    stage('retrieve', { tookMs: 10 }),
    stage('itself'),
    stage('hidden'),
    stage('brand-new-filter', { removed: { stale: 3, older: 5, none: 0 } }),
    stage('own-pin'),
    stage('rank', { tookMs: 12 }),
    stage('explore'),
    stage('by-utility'),
    stage('page', { tookMs: 2, removed: { 'below-page': 75 } }),
  ]

  it('has the stages of later pages in the same phases', () => {
    const later = ['user-state', 'reserve', 'itself', 'rank-again', 'ranked-first', 'page']
    expect(
      phasesOf(
        later.map((name) => stage(`next-page/${name}`)),
        true,
      ).map(({ name }) => name),
    ).toEqual([...['Know the user', 'Find candidates', 'Filter', 'Rank', 'Order', 'Serve']])
  })

  it('has every stage in its phase; stages that it does not know stay with those before', () => {
    const phases = phasesOf(flows, false)
    expect(phases.map(({ name, rows }) => [name, rows.length])).toEqual([
      ['Know the user', 1],
      ['Find candidates', 1],
      ['Filter', 4],
      ['Rank', 1],
      ['Order', 2],
      ['Serve', 1],
    ])
  })

  it('joins neighbours without effect, and none that removes, fails or is slow', () => {
    const rows = phasesOf([...flows, stage('after', { errors: { STAGE_FAILED: 1 } })], true).flatMap(
      (phase) => phase.rows,
    )
    const shown = rows.map((row) => (row.kind === 'stage' ? row.flow.stage : row.flows.map(({ stage: name }) => name)))
    expect(shown).toEqual([
      ...['user-state', 'retrieve', ['itself', 'hidden'], 'brand-new-filter', 'own-pin', 'rank'],
      ...[['explore', 'by-utility'], 'page', 'after'],
    ])
  })

  it('names removals, the largest first, and draws fewer candidates thinner', () => {
    expect(removalsOf(flows[4]!)).toEqual([
      ['older', 5],
      ['stale', 3],
    ])
    expect(streamWidth(300, 300)).toBeGreaterThan(streamWidth(25, 300))
    expect(streamWidth(0, 300)).toBe(2)
    expect(streamWidth(0, 0)).toBe(2)
  })
})
