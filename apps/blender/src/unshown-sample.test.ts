import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleUnshown } from './unshown-sample.ts'

const removals = [
  { stage: 'seen', reason: 'seen' },
  { stage: 'hidden', reason: 'hidden' },
  { stage: 'page', reason: 'below-page' },
]
/** Codes of fates: 0 means shown, other numbers are an index of `removals` plus one. */
const codes = fc.array(fc.nat(removals.length), { maxLength: 400 }).map((list) => Uint16Array.from(list))

describe('a sample of candidates that were not shown', () => {
  test('a law: it is bounded, contains no shown candidate, and its counts are right', () => {
    fc.assert(
      fc.property(codes, fc.nat(60), fc.string(), (column, maxRows, seed) => {
        const { groups, rows, groupOf } = sampleUnshown({ codes: column, removals }, { maxRows, seed })
        const gone = column.filter((code) => code > 0).length
        expect(rows).toHaveLength(Math.min(maxRows, gone))
        expect(new Set(rows).size).toBe(rows.length)
        for (const [i, row] of rows.entries())
          expect(removals[column[row]! - 1]).toMatchObject({
            stage: groups[groupOf[i]!]!.stage,
            reason: groups[groupOf[i]!]!.reason,
          })
        for (const [at, { reason, candidates, sampled }] of groups.entries()) {
          expect(candidates).toBe(column.filter((code) => removals[code - 1]?.reason === reason).length)
          expect(sampled).toBe(groupOf.filter((group) => group === at).length)
        }
        expect(groups.reduce((sum, { candidates }) => sum + candidates, 0)).toBe(gone)
      }),
      { seed: 7, numRuns: 200 },
    )
  })

  test('rare reasons are complete, and the others share the rest', () => {
    const column = Uint16Array.from({ length: 400 }, (_, row) => (row < 3 ? 2 : row < 203 ? 1 : 3))
    const { groups } = sampleUnshown({ codes: column, removals }, { maxRows: 23, seed: 'f1' })
    expect(groups.map(({ reason, candidates, sampled }) => [reason, candidates, sampled])).toEqual([
      ['seen', 200, 10],
      ['hidden', 3, 3],
      ['below-page', 197, 10],
    ])
  })

  test('the same seed gives the same sample, and over many seeds each candidate of a reason comes as often as any other', () => {
    const column = new Uint16Array(40).fill(1)
    const of = (seed: string) => sampleUnshown({ codes: column, removals }, { maxRows: 10, seed }).rows
    expect(of('f1')).toEqual(of('f1'))
    expect(of('f1')).not.toEqual(of('f2'))
    const seeds = 4_000
    const counts = new Int32Array(40)
    for (let seed = 0; seed < seeds; seed++) for (const row of of(`feed-${seed}`)) counts[row] = counts[row]! + 1
    // Expected 1,000 each, with a standard deviation of 27.
    for (const count of counts) expect(Math.abs(count - seeds / 4)).toBeLessThan(5 * 27)
  })
})
