import { describe, expect, it } from 'vitest'
import type { Column } from '../plan/column.ts'
import { finished } from '../plan/pausing.ts'
import { designOf, original, standardised } from './design.ts'

const column = (...values: number[]): Column => ({
  kind: 'numbers',
  rows: values.length,
  width: 1,
  values: Float32Array.from(values),
})

describe('the design of a regression', () => {
  const design = finished(designOf([column(1, 2, 6), column(5, 5, 5)], 3))

  it('has numbers with mean 0 and deviation 1, and 0 for a constant one', () => {
    expect(design).toMatchObject({ rows: 3, width: 3 })
    expect([...design.means]).toEqual([3, 5])
    expect(design.deviations[1]).toBe(0)
    const rows = [0, 1, 2].map((row) => [...design.values.subarray(3 * row, 3 * row + 3)])
    expect(rows.map(([one]) => one)).toEqual([1, 1, 1])
    expect(rows.map(([, , constant]) => constant)).toEqual([0, 0, 0])
    expect(rows.reduce((sum, [, number]) => sum + number!, 0)).toBeCloseTo(0)
    expect(rows.reduce((sum, [, number]) => sum + number! ** 2, 0) / 3).toBeCloseTo(1)
  })

  it('converts weights there and back; a constant number keeps the weight that is believed', () => {
    const believed = { bias: 0.5, kernel: [2, -3] }
    const back = original(standardised(believed, design), design, believed)
    expect(back.bias).toBeCloseTo(0.5)
    expect(Array.from(back.kernel, (weight) => Math.round(weight * 1e6) / 1e6)).toEqual([2, -3])
    // Another bias found for the same weights: what the constant number adds stays out of it.
    const found = standardised(believed, design)
    found[0]! += 1
    expect(original(found, design, believed).bias).toBeCloseTo(1.5)
  })
})
