import { describe, expect, it } from 'vitest'
import { foldPin, newPinState, type PinState } from '../pin-state.ts'
import { anEngagement, noonMs } from '../testing.ts'
import { actedOverall, createPositionRates, defaultPositionRates, expectedActions, memboost } from './memboost.ts'
import { totalsOf } from './pin-totals.ts'

describe('memboost', () => {
  const shown = (action: 'impression' | 'click', position: number) =>
    anEngagement({ action, shown: { feedId: null, position, surface: 'home' } })
  const boostOf = (pin: PinState) =>
    memboost(actedOverall(pin, noonMs), expectedActions(pin, defaultPositionRates, noonMs))
  const times = (count: number, engagement: ReturnType<typeof shown>) => Array.from({ length: count }, () => engagement)

  it('has no position bias: a pin that performs as expected gets 0 at every position', () => {
    for (const position of [0, 10, 60]) {
      const pin = foldPin(newPinState, times(2000, shown('impression', position)))
      const expected = Math.round(expectedActions(pin, defaultPositionRates, noonMs))
      const acted = foldPin(pin, times(expected, shown('click', position)))
      expect(Math.abs(boostOf(acted))).toBeLessThan(0.02)
    }
  })

  it('rises with every action and falls with every impression', () => {
    const before = foldPin(newPinState, times(100, shown('impression', 0)))
    expect(boostOf(foldPin(before, [shown('click', 0)]))).toBeGreaterThan(boostOf(before))
    expect(boostOf(foldPin(before, [shown('impression', 0)]))).toBeLessThan(boostOf(before))
  })

  it('learns rates by position from all pins, and subtracts replaced states', () => {
    const view = createPositionRates()
    expect(view.rates()).toEqual(defaultPositionRates)
    const popular = foldPin(newPinState, [...times(9000, shown('impression', 0)), ...times(4500, shown('click', 0))])
    view.replace(null, totalsOf(popular))
    expect(view.rates()[0]).toBeCloseTo((4500 + 100) / 10_000, 5)
    expect(view.rates()[3]).toBe(defaultPositionRates[3])
    view.replace(totalsOf(popular), null)
    expect(view.rates()).toEqual(defaultPositionRates)
  })
})
