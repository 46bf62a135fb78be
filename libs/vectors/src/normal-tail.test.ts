import { describe, expect, it } from 'vitest'
import { normalTail, unevenTail } from './normal-tail.ts'

describe('normalTail', () => {
  it.each([
    [0, 0.5],
    [1, 0.158655],
    [1.959964, 0.025],
    [3, 1.349898e-3],
    [5, 2.866516e-7],
    [-1, 0.841345],
  ])('at %d is %d to a grain of 1/32', (z, tail) => {
    expect(normalTail(z)).toBeGreaterThanOrEqual(tail * (1 - 1e-3))
    expect(normalTail(z)).toBeLessThanOrEqual(tail * Math.exp((Math.abs(z) + 1) / 32))
  })

  it('is 1 far left, 0 far right and for NaN no less than certain', () => {
    expect([-Infinity, -5, 9, Infinity, NaN].map(normalTail)).toEqual([1, 1, 0, 0, 1])
  })
})

describe('unevenTail', () => {
  it('never increases with z', () => {
    for (const unevenness of [0, 0.2, 1, 4])
      for (let z = -5; z < 12; z += 0.1)
        expect(unevenTail(z + 0.1, unevenness)).toBeLessThanOrEqual(unevenTail(z, unevenness))
  })

  it('has the heavier far tail the more uneven it is', () => {
    expect(unevenTail(5, 0)).toBeLessThan(unevenTail(5, 0.5))
    expect(unevenTail(5, 0.5)).toBeLessThan(unevenTail(5, 1.5))
  })
})
