import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptyPlacement,
  extend,
  firstBelow,
  gridFor,
  heightOf,
  leftOf,
  neighbour,
  place,
  visibleRange,
} from './layout.ts'

const heights = fc.array(fc.integer({ min: 60, max: 500 }), { maxLength: 120 })
const grid = gridFor(1_000, 228, 16)

describe('gridFor', () => {
  it('makes as many columns as fit, and uses the whole width', () => {
    expect(grid.columns).toBe(4)
    expect(grid.columns * grid.columnWidth + 3 * grid.gap).toBeCloseTo(1_000)
  })

  it('makes two columns on a phone, however narrow', () => {
    expect(gridFor(320, 228, 8).columns).toBe(2)
    expect(gridFor(0, 228, 8).columnWidth).toBe(0)
  })
})

describe('a placement', () => {
  it('never lets two items overlap', () => {
    fc.assert(
      fc.property(heights, (all) => {
        const placed = place(grid, all)
        for (let a = 0; a < placed.count; a++)
          for (let b = a + 1; b < placed.count; b++)
            if (placed.columnOf[a] === placed.columnOf[b])
              expect(placed.tops[b]!).toBeGreaterThanOrEqual(placed.tops[a]! + placed.heights[a]! + grid.gap)
      }),
    )
  })

  it('has tops that never decrease', () => {
    fc.assert(
      fc.property(heights, (all) => {
        const { tops, count } = place(grid, all)
        for (let at = 1; at < count; at++) expect(tops[at]!).toBeGreaterThanOrEqual(tops[at - 1]!)
      }),
    )
  })

  it('is the same whether it is made at once or page by page, and leaves what is placed', () => {
    fc.assert(
      fc.property(heights, heights, (first, second) => {
        const before = place(grid, first)
        const copy = [...before.tops.subarray(0, before.count)]
        const grown = extend(before, second)
        const whole = place(grid, [...first, ...second])
        expect([...grown.tops.subarray(0, grown.count)]).toEqual([...whole.tops.subarray(0, whole.count)])
        expect(heightOf(grown)).toBe(heightOf(whole))
        expect([...before.tops.subarray(0, before.count)]).toEqual(copy)
      }),
    )
  })

  it('finds exactly the items that reach into a window', () => {
    fc.assert(
      fc.property(
        heights,
        fc.integer({ min: -500, max: 9_000 }),
        fc.integer({ min: 1, max: 2_000 }),
        (all, from, size) => {
          const placed = place(grid, all)
          const [first, last] = visibleRange(placed, from, from + size)
          for (let at = 0; at < placed.count; at++) {
            const reaches = placed.tops[at]! < from + size && placed.tops[at]! + placed.heights[at]! > from
            if (reaches) expect(at >= first && at < last).toBe(true)
          }
          expect(last - first).toBeLessThanOrEqual(grid.columns * (Math.ceil((size + placed.tallest) / 60) + 1))
        },
      ),
    )
  })

  it('knows the first item below the screen', () => {
    const placed = place(grid, [100, 100, 100, 100, 100])
    expect(firstBelow(placed, 50)).toBe(4)
    expect(firstBelow(placed, 1_000)).toBe(5)
  })

  it('is empty at the beginning', () => {
    expect(heightOf(emptyPlacement(grid))).toBe(0)
  })
})

describe('the focus', () => {
  const placed = place(grid, [100, 200, 150, 120, 100, 100, 100, 100])

  it('moves within a column up and down, and stays at the edges', () => {
    const below = neighbour(placed, 0, 'down')
    expect(placed.columnOf[below]).toBe(placed.columnOf[0])
    expect(neighbour(placed, below, 'up')).toBe(0)
    expect(neighbour(placed, 0, 'up')).toBe(0)
  })

  it('moves to the next column beside it', () => {
    const right = neighbour(placed, 0, 'right')
    expect(leftOf(placed, right)).toBeGreaterThan(leftOf(placed, 0))
    expect(neighbour(placed, 0, 'left')).toBe(0)
  })
})
