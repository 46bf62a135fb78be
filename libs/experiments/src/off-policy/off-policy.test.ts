import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { drawnSlate } from './drawn-slate.fixture.ts'
import { evaluatePolicy } from './evaluate.ts'
import { redraw, type LoggedDraw } from './redraw.ts'
import type { Slate } from './slate.ts'

const shown = 3
const candidates = 6
const loggedTemperature = 1
const targetTimes = 0.6
const examined = [1, 0.7, 0.5]

/** A user's candidates: how attractive each is, and the utility that the policy believes. */
interface Pool {
  readonly attraction: readonly number[]
  readonly values: readonly number[]
}

function aPool(random: () => number): Pool {
  const attraction = Array.from({ length: candidates }, () => 0.1 + 0.7 * random())
  return { attraction, values: attraction.map((each) => 3 * each + random()) }
}

/** Rewards of a user who looks from top to bottom: each position less, and less after every pin that was liked. */
function rewardsOf({ attraction }: Pool, picks: readonly number[], patience: number, random: () => number): number[] {
  let interest = 1
  return picks.map((pick, place) => {
    const liked = random() < attraction[pick]! * examined[place]! * interest
    if (liked) interest *= patience
    return Number(liked)
  })
}

/** The probability of each candidate at each place, by enumeration. */
function placesOf(values: readonly number[], temperature: number): number[][] {
  const table = Array.from({ length: shown }, () => new Array<number>(candidates).fill(0))
  const go = (above: readonly number[], p: number): void => {
    if (above.length === shown) return
    const left = values.map((_, at) => at).filter((at) => !above.includes(at))
    const total = left.reduce((sum, at) => sum + Math.exp(values[at]! / temperature), 0)
    for (const at of left) {
      const own = (p * Math.exp(values[at]! / temperature)) / total
      table[above.length]![at]! += own
      go([...above, at], own)
    }
  }
  go([], 1)
  return table
}

/** Logged slates of users with one to four feeds each. */
function simulate(seed: number, users: number, patience: number): Slate[] {
  const random = mulberry32(seed)
  const slates: Slate[] = []
  for (let user = 0; user < users; user++) {
    const feeds = 1 + Math.floor(4 * random())
    const pool = aPool(random)
    const tables = [loggedTemperature, loggedTemperature * targetTimes].map((each) => placesOf(pool.values, each))
    for (let feed = 0; feed < feeds; feed++) {
      const { picks, steps, left } = drawnSlate(pool.values, { places: shown, temperature: loggedTemperature, random })
      const draw: LoggedDraw = {
        values: Float64Array.from(picks, (pick) => pool.values[pick]!),
        steps: Float64Array.from(steps),
        temperature: loggedTemperature,
        restCount: left.length,
        rest: {
          values: Float64Array.from(left, (at) => pool.values[at]!),
          counts: new Float64Array(left.length).fill(1),
          keptOutFrom: null,
        },
      }
      const { steps: targetSteps } = redraw(draw, {
        temperatureTimes: targetTimes,
        added: new Float64Array(shown),
        restAdded: null,
      })!
      const columns = tables.map((table) => Float64Array.from(picks, (pick, place) => table[place]![pick]!))
      const predicted = Float64Array.from(picks, (pick, place) => pool.attraction[pick]! * examined[place]!)
      const expected = Float64Array.from(picks, (_, place) => {
        const remaining = pool.values.map((_, at) => at).filter((at) => !picks.slice(0, place).includes(at))
        const masses = remaining.map((at) => Math.exp(pool.values[at]! / (loggedTemperature * targetTimes)))
        const total = masses.reduce((sum, mass) => sum + mass, 0)
        return remaining.reduce(
          (sum, at, index) => sum + (masses[index]! / total) * pool.attraction[at]! * examined[place]!,
          0,
        )
      })
      slates.push({
        userId: `u${user}`,
        rewards: Float64Array.from(rewardsOf(pool, picks, patience, random)),
        steps: Float64Array.from(steps),
        targetSteps,
        places: { logged: columns[0]!, target: columns[1]! },
        model: { predicted, expected },
      })
    }
  }
  return slates
}

/** The mean reward of the target policy, played. */
function truth(patience: number): number {
  const random = mulberry32(99)
  let [sum, slates] = [0, 0]
  for (let user = 0; user < 40_000; user++) {
    const feeds = 1 + Math.floor(4 * random())
    const pool = aPool(random)
    for (let feed = 0; feed < feeds; feed++, slates++) {
      const { picks } = drawnSlate(pool.values, { places: shown, temperature: loggedTemperature * targetTimes, random })
      sum += rewardsOf(pool, picks, patience, random).reduce((total, each) => total + each, 0)
    }
  }
  return sum / slates
}

describe('a slate under another policy', () => {
  it('has exactly the probabilities of Plackett and Luce if the rest is known, or if all candidates are on the page', () => {
    const random = mulberry32(4)
    for (let n = 0; n < 50; n++) {
      const { values } = aPool(random)
      const { picks, steps, left } = drawnSlate(values, { places: shown, temperature: loggedTemperature, random })
      const draw = {
        values: Float64Array.from(picks, (pick) => values[pick]!),
        steps: Float64Array.from(steps),
        temperature: loggedTemperature,
        restCount: left.length,
        rest: {
          values: Float64Array.from(left, (at) => values[at]!),
          counts: new Float64Array(left.length).fill(1),
          keptOutFrom: null,
        },
      }
      const target = redraw(draw, { temperatureTimes: 2, added: new Float64Array(shown), restAdded: null })!
      const remaining = values.map((_, at) => at)
      for (const [place, pick] of picks.entries()) {
        const total = remaining.reduce((sum, at) => sum + Math.exp(values[at]! / 2), 0)
        expect(target.steps[place]).toBeCloseTo(Math.exp(values[pick]! / 2) / total, 6)
        remaining.splice(remaining.indexOf(pick), 1)
      }
      expect(target.worths).toHaveLength(candidates)
    }
    const all = { values: Float64Array.of(1, 0), steps: Float64Array.of(Math.E / (1 + Math.E), 1) }
    const whole = {
      ...all,
      temperature: 1,
      restCount: 0,
      rest: { values: new Float64Array(), counts: new Float64Array(), keptOutFrom: null },
    }
    const added = Float64Array.of(0, 1)
    expect(redraw(whole, { temperatureTimes: 1, added, restAdded: null })!.steps[0]).toBeCloseTo(0.5, 9)
  })

  it('takes the rest for equal candidates if nothing is known of it', () => {
    const draw = {
      values: Float64Array.of(2),
      steps: Float64Array.of(Math.exp(2) / (Math.exp(2) + 3 * Math.E)),
      temperature: 1,
      restCount: 3,
      rest: { values: new Float64Array(), counts: new Float64Array(), keptOutFrom: null },
    }
    const { steps, worths } = redraw(draw, { temperatureTimes: 0.5, added: new Float64Array(1), restAdded: null })!
    expect(steps[0]).toBeCloseTo(Math.exp(4) / (Math.exp(4) + 3 * Math.exp(2)), 9)
    expect(worths).toHaveLength(4)
  })

  it('is refused if its probabilities do not fit its utilities', () => {
    const draw = {
      values: Float64Array.of(0, 1),
      steps: Float64Array.of(0.9, 1),
      temperature: 1,
      restCount: 0,
      rest: { values: new Float64Array(), counts: new Float64Array(), keptOutFrom: null },
    }
    expect(redraw(draw, { temperatureTimes: 1, added: new Float64Array(2), restAdded: null })).toBeNull()
  })
})

describe('estimators', () => {
  const runs = 100
  const options = { level: 0.95, resamples: 120, seed: 1 }

  it.each([
    { patience: 0, biased: ['independent IPS', 'independent IPS, self-normalised'] },
    { patience: 1, biased: [] },
  ])(
    'are without bias and cover the truth of users with patience $patience',
    ({ patience, biased }) => {
      const value = truth(patience)
      const found = new Map<string, { values: number[]; covered: number }>()
      for (let run = 0; run < runs; run++)
        for (const { estimator, value: own, low, high } of evaluatePolicy(simulate(run + 1, 120, patience), options)
          .estimates) {
          const entry = found.get(estimator) ?? { values: [], covered: 0 }
          entry.values.push(own)
          if (low <= value && value <= high) entry.covered++
          found.set(estimator, entry)
        }
      expect(found.size).toBe(8)
      for (const [name, { values, covered }] of found) {
        const mean = values.reduce((sum, each) => sum + each, 0) / runs
        const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (runs - 1))
        const errors = Math.abs(mean - value) / (deviation / Math.sqrt(runs))
        if (biased.includes(name)) {
          expect(errors, name).toBeGreaterThan(4)
          continue
        }
        expect(errors, name).toBeLessThan(4)
        expect(covered, name).toBeGreaterThan(runs * 0.95 - 4 * Math.sqrt(runs * 0.95 * 0.05))
      }
      const spread = (name: string): number => {
        const { values } = found.get(name)!
        const mean = values.reduce((sum, each) => sum + each, 0) / runs
        return values.reduce((sum, each) => sum + (each - mean) ** 2, 0)
      }
      // The model of the rewards does not know that users leave.
      if (patience === 1) expect(spread('doubly robust')).toBeLessThan(spread('reward-interaction IPS'))
      expect(spread('reward-interaction IPS')).toBeLessThan(spread('standard IPS'))
    },
    180_000,
  )

  it('of the logged policy itself are the mean reward', () => {
    const slates = simulate(3, 50, 0.3).map((slate) => ({
      ...slate,
      targetSteps: slate.steps,
      places: null,
      model: null,
    }))
    const { logged, estimates, overlap, warnings } = evaluatePolicy(slates, options)
    expect(estimates.map(({ estimator }) => estimator)).toHaveLength(4)
    for (const { value, lift } of estimates) {
      expect(value).toBeCloseTo(logged.value, 9)
      expect(lift).toBeCloseTo(0, 9)
    }
    expect(overlap.effectiveSlates).toBeCloseTo(slates.length, 6)
    expect(warnings.filter((text) => !text.startsWith('the overlap'))).toEqual([])
  })

  it('of one user have no intervals, and nothing that says whether the probabilities fit', () => {
    const slates = simulate(3, 1, 1).slice(0, 1)
    const { estimates, overlap, warnings } = evaluatePolicy(slates, options)
    expect(Math.abs(overlap.meanWeight - 1)).toBeGreaterThan(0.01)
    expect(estimates[0]!.low).toBeNaN()
    expect(warnings.join()).not.toMatch(/mean weight/)
  })

  it('warn if the overlap is poor', () => {
    const slates = simulate(3, 200, 1).map((slate, at) => ({
      ...slate,
      targetSteps: slate.steps.map((step) => (at === 0 ? step * 8 : step / 10)),
    }))
    const { overlap, warnings } = evaluatePolicy(slates, options)
    expect(overlap.effectiveSlates).toBeLessThan(2)
    expect(warnings.join()).toMatch(/the overlap is poor.*one slate has \d+ % of all weights/)
  })
})
