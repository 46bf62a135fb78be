import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterRows, joinRows } from './row-batch.ts'
import { rowJson } from './row-json.ts'
import { createRowStats } from './row-stats.ts'
import { rowBatchOf, someRows } from './rows.fixture.ts'

describe('joined rows', () => {
  it('are the rows of the parts in order', () => {
    fc.assert(
      fc.property(someRows, fc.nat(), (rows, cut) => {
        const at = cut % (rows.length + 1)
        const parts = [rows.slice(0, at), rows.slice(at)].filter((part) => part.length > 0).map(rowBatchOf)
        const joined = joinRows(parts.map((batch) => ({ batch, rows: null })))
        const { position, ...expected } = rowBatchOf(rows)
        expect(joined).toMatchObject(expected)
        expect(joined.position).toHaveLength(position.length)
      }),
    )
  })

  it('kept ∪ removed = all', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const batch = rowBatchOf(rows)
        const kept = filterRows(batch, (row) => batch.labels['click']![row] === 1)
        const removed = filterRows(batch, (row) => batch.labels['click']![row] !== 1)
        const found = [kept, removed].flatMap((part) => part?.position ?? new Uint16Array()).flatMap((p) => [...p])
        expect(found.sort()).toEqual([...batch.position].sort())
      }),
    )
  })
})

describe('a row as JSON', () => {
  it('names what is known and leaves out what is not', () => {
    const batch = rowBatchOf([
      { feedId: 'f', pinId: 'a', click: true, features: [NaN, 7], topics: ['bread'], weight: 4 },
    ])
    expect(rowJson(batch, 0)).toEqual({
      labels: { click: 1, dwellSeconds: 4.5 },
      values: {
        user: 'user of f',
        pin: 'a',
        topics: ['bread'],
        at: 1_000,
        position: 300,
        propensity: 0,
        'retrieval.rank': 0,
        'retrieval.score': 0,
        'source.fresh.score': 0.5,
        clicks: 7,
      },
      weight: 4,
    })
  })
})

describe('statistics of rows', () => {
  it('weigh labels, count missing features and keep unshown candidates apart', () => {
    const counter = createRowStats()
    counter.add(
      rowBatchOf([
        { feedId: 'f', pinId: 'a', click: true, atMs: 5 },
        { feedId: 'f', pinId: 'b', weight: 4, features: [NaN, 1], atMs: 9, revision: 1 },
        { feedId: 'f', pinId: 'c', shown: false, features: [NaN, NaN] },
      ]),
    )
    expect(counter.stats()).toEqual({
      shown: 2,
      unshown: 1,
      corrected: 1,
      users: 1,
      pins: 2,
      fromMs: 5,
      toMs: 1_000,
      labels: { click: { rows: 1, share: 0.2 }, dwellSeconds: { rows: 1, share: 0.2 } },
      missing: { age: 0.5, clicks: 0 },
      models: { '': 2 },
    })
  })
})
