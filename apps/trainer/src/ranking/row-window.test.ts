import { planOfSpec } from '@freshet/ranking/spec/plan-of-spec'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRowWindow, describeLeftOut, splitAt, timeOf, type WindowRow } from './row-window.ts'
import { feedBatches } from './rows.fixture.ts'

const plan = planOfSpec(
  {
    version: 'test',
    features: [{ name: 'pin_smoothed_save_rate', transform: 'identity' }],
    models: [{ action: 'save', bias: 0, weights: [0] }],
    worth: [1],
    exploration: [],
  },
  'home',
)
const batches = feedBatches({ feeds: 3, seed: 1 })
const [first, second, third] = batches as [RowBatch, RowBatch, RowBatch]

function windowOf(given: readonly RowBatch[], maxRows = 1_000) {
  const window = createRowWindow(maxRows)
  for (const batch of given) window.add(batch)
  return window
}

const nameOf = ({ batch, row }: WindowRow): string => `${batch.pinIds[row]!}@${batch.revision[row]!}`
const revised = (batch: RowBatch, revision: number): RowBatch => ({
  ...batch,
  revision: new Uint8Array(batch.rows).fill(revision),
})

describe('the window of rows', () => {
  it('gives the rows in the order of time, whatever the order of arrival', () => {
    const found = windowOf([third, first, second]).read(plan).rows
    expect(found.map(timeOf)).toEqual([first, second, third].flatMap((batch) => [...batch.atMs]))
  })

  it('keeps each row once, with its last correction, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2], { minLength: 1 }), (revisions) => {
        const window = windowOf(revisions.map((revision) => revised(first, revision)))
        expect(window.size).toBe(first.rows)
        expect(new Set(window.read(plan).rows.map(({ batch, row }) => batch.revision[row]))).toEqual(
          new Set([Math.max(...revisions)]),
        )
      }),
    )
  })

  it('keeps the newest rows up to its size, and counts what is new since the last reading', () => {
    const window = windowOf(batches, 15)
    expect([window.size, window.fresh]).toEqual([15, 30])
    expect(window.read(plan).rows.map(nameOf).slice(0, 6)).toEqual([
      ...second.pinIds.slice(5).map((pin) => `${pin}@0`),
      `${third.pinIds[0]!}@0`,
    ])
    expect(window.fresh).toBe(0)
    window.add(revised(third, 1))
    expect([window.size, window.fresh]).toEqual([15, 10])
  })

  it('leaves out candidates that were not shown, and pins that nobody looked at where looks are reported', () => {
    const shown = Uint8Array.from(first.shown, (_, row) => Number(row > 0))
    const impression = Uint8Array.from(first.shown, (_, row) => Number(row > 2))
    const labels = { ...first.labels, impression, save: new Uint8Array(10), click: new Uint8Array(10) }
    const found = windowOf([{ ...first, shown, labels }]).read(plan)
    expect(found.rows).toHaveLength(7)
    expect(found.leftOut).toEqual([{ reason: 'nobody looked at the pin', isCorrupt: false, rows: 2 }])
    const silent = { ...labels, impression: new Uint8Array(10) }
    expect(windowOf([{ ...first, shown, labels: silent }]).read(plan).rows).toHaveLength(9)
  })

  it('leaves out rows without the features of the plan, and says so', () => {
    const unranked = { ...first, features: new Float32Array(20).fill(NaN) }
    const foreign = { ...second, featureNames: ['retrieval_score', 'pin_age'] }
    const found = windowOf([unranked, foreign, third]).read(plan)
    expect(found.rows).toHaveLength(10)
    expect(describeLeftOut(found)).toBe(
      '20 of 30 training rows left out: 10 × it was not ranked, 10 × pin_smoothed_save_rate was not recorded',
    )
  })

  it.each([
    ['its weight is not a number above 0', (batch: RowBatch) => ({ ...batch, weight: batch.weight.map(at0(NaN)) })],
    ['its time is not a time', (batch: RowBatch) => ({ ...batch, atMs: batch.atMs.map(at0(NaN)) })],
    ['it was shown without a position', (batch: RowBatch) => ({ ...batch, position: batch.position.map(at0(0xffff)) })],
    [
      'its label save is 7',
      (batch: RowBatch) => ({
        ...batch,
        labels: { ...batch.labels, save: (batch.labels['save'] as Uint8Array).map(at0(7)) },
      }),
    ],
    [
      'its label dwellSeconds is -1',
      (batch: RowBatch) => ({
        ...batch,
        labels: { ...batch.labels, dwellSeconds: (batch.labels['dwellSeconds'] as Float32Array).map(at0(-1)) },
      }),
    ],
  ])('leaves out a corrupt row: %s', (reason, damage) => {
    const { rows, leftOut } = windowOf([damage(first), second]).read(plan)
    expect(leftOut).toEqual([{ reason, isCorrupt: true, rows: 1 }])
    expect(rows).toHaveLength(19)
  })

  it('leaves out a row in which one feature is not a number', () => {
    const two = {
      ...plan,
      inputs: [...plan.inputs, { name: 'retrieval_score', type: { kind: 'scalar' }, side: 'candidate' }],
    } as const
    const features = first.features.map((value, at) => (at === 0 ? Infinity : value))
    expect(windowOf([{ ...first, features }]).read(two).leftOut).toEqual([
      { reason: 'retrieval_score is not a finite number', isCorrupt: true, rows: 1 },
    ])
  })
})

/** The value for the first row, the others as they are. */
function at0(value: number): (given: number, row: number) => number {
  return (given, row) => (row === 0 ? value : given)
}

describe('the rows on which a model is judged', () => {
  const { rows } = windowOf(batches).read(plan)
  it.each([
    ['the latest share, if nothing comparable serves', 0.3, null, 20],
    ['no feed is cut in two', 0.25, null, 20],
    ['those that the serving model has not seen', 0.3, first.atMs[0]!, 10],
    ['none, if it has seen all', 0.3, third.atMs[0]!, 30],
  ])('are %s', (_, share, seenMs, at) => {
    expect(splitAt(rows, share, seenMs)).toBe(at)
  })
})
