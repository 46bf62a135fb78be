import { describe, expect, it } from 'vitest'
import { redraw, type Rest } from './redraw.ts'

const nothing: Rest = { values: new Float64Array(), counts: new Float64Array(), keptOutFrom: null }

/** The probabilities of a page of all candidates, drawn in the order of the utilities given. */
function stepsOf(values: readonly number[], temperature: number): Float64Array {
  return Float64Array.from(values, (value, place) => {
    const left = values.slice(place).map((each) => Math.exp((each - value) / temperature))
    return 1 / left.reduce((sum, mass) => sum + mass, 0)
  })
}

describe('a slate under another policy', () => {
  it('has probabilities at every position if the target is so cold that one utility outweighs all others', () => {
    const values = [3, 9, 1, 0.5]
    const draw = {
      values: Float64Array.from(values),
      steps: stepsOf(values, 1),
      temperature: 1,
      restCount: 0,
      rest: nothing,
    }
    const { steps, worths, probabilityAt } = redraw(draw, {
      ...{ temperatureTimes: 0.001, added: new Float64Array(4), restAdded: null },
    })!
    expect([...steps]).toEqual([0, 1, 1, 1])
    expect(worths.every((worth) => Number.isFinite(worth))).toBe(true)
    expect([probabilityAt(0, 1), probabilityAt(0, 3), probabilityAt(2, 2)]).toEqual([1, 0, 1])
  })

  it('is exact below a position that all others outweigh, with candidates that rules keep out', () => {
    const [values, others] = [
      [0, -1],
      [800, -2, -0.5],
    ]
    const draw = {
      values: Float64Array.from(values),
      steps: stepsWithRest(values, others, 400),
      ...{ temperature: 400, restCount: 3 },
      // The first of the others outweighs the page, and is kept out from the second position on.
      rest: {
        values: Float64Array.from(others),
        counts: new Float64Array(3).fill(1),
        keptOutFrom: Uint16Array.of(1, 2, 2),
      },
    }
    const left = [-1, -2, -0.5].reduce((sum, value) => sum + Math.exp(value), 0)
    const target = redraw(draw, {
      temperatureTimes: 1 / 400,
      added: new Float64Array(2),
      restAdded: new Float64Array(3),
    })!
    expect(target.steps[0]).toBe(0)
    expect(target.steps[1]).toBeCloseTo(Math.exp(-1) / left, 9)
    expect(target.meanOfRest(1, (value) => value)).toBeCloseTo(
      (-2 * Math.exp(-2) - 0.5 * Math.exp(-0.5)) / (Math.exp(-2) + Math.exp(-0.5)),
      9,
    )
  })

  it('has probabilities if unknown candidates matter at a low position only', () => {
    const rest = Math.exp(-13)
    const draw = {
      values: Float64Array.of(0, -12),
      steps: Float64Array.of(1 / (1 + Math.exp(-12) + rest), Math.exp(-12) / (Math.exp(-12) + rest)),
      ...{ temperature: 1, restCount: 1, rest: nothing },
    }
    const { steps } = redraw(draw, { temperatureTimes: 2, added: new Float64Array(2), restAdded: null })!
    expect(steps[1]).toBeCloseTo(Math.exp(-6) / (Math.exp(-6) + Math.exp(-6.5)), 6)
  })
})

/** The probabilities of a page whose first other candidate is kept out from the second position on. */
function stepsWithRest(values: readonly number[], others: readonly number[], temperature: number): Float64Array {
  const [page, rest] = [values, others].map((each) => each.map((value) => Math.exp(value / temperature)))
  const all = [...page!, ...rest!].reduce((sum, mass) => sum + mass, 0)
  return Float64Array.of(page![0]! / all, page![1]! / (all - page![0]! - rest![0]!))
}
