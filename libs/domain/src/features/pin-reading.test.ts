import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counted, halfLifeNames } from '../decay.ts'
import { actions } from '../engagement.ts'
import { foldPin, newPinState } from '../pin-state.ts'
import { engagements, noonMs } from '../testing.ts'
import { actedOverall, defaultPositionRates, expectedActions } from './memboost.ts'
import { PinReading } from './pin-reading.ts'

/** The smallest normal double. Smaller numbers lose digits, so the test cannot require a relative precision. */
const leastNormal = 2 ** -1022

describe('pin reading', () => {
  it('returns the values of the state, at any time and in any order of calls', () => {
    const times = fc.array(fc.integer({ min: -2 * 86_400_000, max: 365 * 86_400_000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(engagements(), times, (list, afterMs) => {
        const state = foldPin(newPinState, list)
        const reading = new PinReading(() => state)
        for (const after of afterMs) {
          const atMs = noonMs + after
          const pairs: (readonly [number, number])[] = [
            [reading.acted(atMs), actedOverall(state, atMs)],
            [reading.expected(atMs), expectedActions(state, defaultPositionRates, atMs)],
          ]
          for (const row of actions.keys())
            for (const [column, halfLife] of halfLifeNames.entries())
              pairs.push([reading.count(row, column, atMs), counted(state.counters, row, halfLife, atMs)])
          for (const [read, held] of pairs)
            expect(Math.abs(read - held)).toBeLessThanOrEqual(Math.max(1e-12 * held, leastNormal))
        }
      }),
    )
  })

  it('reads the state once for all requests that are older than its newest count', () => {
    fc.assert(
      fc.property(engagements(), (list) => {
        const state = foldPin(newPinState, list)
        let reads = 0
        const reading = new PinReading(() => {
          reads++
          return state
        })
        for (const row of actions.keys()) reading.count(row, 0, state.lastAtMs - 1)
        reading.acted(state.lastAtMs - 1)
        expect(reads).toBeLessThanOrEqual(2)
      }),
    )
  })
})
