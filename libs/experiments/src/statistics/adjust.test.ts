import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { adjustDifference } from './adjust.ts'
import { compareArms } from './compare.ts'
import { createUserSums, type UserSums } from './user-sums.ts'

const options = { level: 0.95, per: 'feed' } as const
const arms = { arm: 1, control: 0 }

/** Users of two arms. Some were not there before; `knows` is how much of the taste of a user what came before shows. */
interface Simulated {
  readonly seed: number
  readonly users: number
  readonly lift: number
  readonly knows: boolean
  /** A fault: what came before includes what the arm did. */
  readonly peeks?: boolean
}

function simulate({ seed, users, lift, knows, peeks = false }: Simulated): UserSums {
  const random = mulberry32(seed)
  const sums = createUserSums(2, 1)
  for (let user = 0; user < users; user++) {
    const arm = user % 2
    const [rate, other] = [0.1 + 0.6 * random() ** 2, 0.1 + 0.6 * random() ** 2]
    const saves = (feeds: number, chance: number): number[] =>
      Array.from({ length: feeds }, () => Number(random() < chance) + Number(random() < chance))
    const before = saves(random() < 0.2 ? 0 : 1 + Math.floor(10 * random()), knows ? rate : other)
    const after = saves(1 + Math.floor(10 * random() ** 2), rate + arm * lift)
    const seen = peeks ? [...before, ...after] : before
    sums.begin(`u${user}`, seen.length, [seen.reduce((sum, each) => sum + each, 0)])
    for (const each of after) sums.add(`u${user}`, arm, [each])
  }
  return sums
}

/** What many experiments find. */
function repeat(runs: number, given: Omit<Simulated, 'seed'>) {
  const found = { values: [] as number[], covered: 0, widest: 0, reduction: 0 }
  for (let run = 0; run < runs; run++) {
    const sums = simulate({ seed: run + 1, ...given })
    const { absolute, varianceReduction } = adjustDifference(sums, arms, 0, options)!
    const raw = compareArms(sums, arms, 0, options).absolute
    found.values.push(absolute.value)
    // Two pins are looked at in each feed.
    if (absolute.low <= 2 * given.lift && 2 * given.lift <= absolute.high) found.covered++
    found.widest = Math.max(found.widest, absolute.standardError / raw.standardError)
    found.reduction += varianceReduction / runs
  }
  const mean = found.values.reduce((sum, each) => sum + each, 0) / runs
  const spread = Math.sqrt(found.values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (runs - 1))
  return { ...found, errors: Math.abs(mean - 2 * given.lift) / (spread / Math.sqrt(runs)) }
}

const runs = 400
/** Four standard deviations of a binomial count with p = 0.95. */
const slack = 4 * Math.sqrt(runs * 0.95 * 0.05)

describe('a difference adjusted by what users did before', () => {
  it.each([0, 0.05])('is without bias, covers a true lift of %d, and is never less sure by more than noise', (lift) => {
    const { errors, covered, widest, reduction } = repeat(runs, { users: 300, lift, knows: true })
    expect(errors).toBeLessThan(4)
    expect(Math.abs(covered - 0.95 * runs)).toBeLessThan(slack)
    // One number more is estimated, for 150 users in each arm.
    expect(widest).toBeLessThan(1.005)
    expect(reduction).toBeGreaterThan(0.15)
  })

  it('says nothing else if what came before says nothing', () => {
    const { errors, covered, widest, reduction } = repeat(runs, { users: 300, lift: 0.05, knows: false })
    expect(errors).toBeLessThan(4)
    expect(Math.abs(covered - 0.95 * runs)).toBeLessThan(slack)
    expect(widest).toBeLessThan(1.005)
    expect(reduction).toBeLessThan(0.02)
  })

  it('would be biased if the covariate included what the arm did: the test of bias can fail', () => {
    const { errors } = repeat(runs, { users: 300, lift: 0.05, knows: true, peeks: true })
    expect(errors).toBeGreaterThan(20)
  })

  it('is not known if no user had feeds before, and removes all variance that came before', () => {
    const nothing = createUserSums(2, 1)
    for (let user = 0; user < 20; user++) nothing.add(`u${user}`, user % 2, [user % 3])
    expect(adjustDifference(nothing, arms, 0, options)).toBeNull()
    const same = createUserSums(2, 1)
    const random = mulberry32(8)
    for (let user = 0; user < 200; user++) {
      const own = random()
      same.begin(`u${user}`, 1, [own])
      same.begin(`u${user}`, 9, [9])
      same.add(`u${user}`, user % 2, [own + (user % 2)])
    }
    const { absolute, varianceReduction } = adjustDifference(same, arms, 0, options)!
    expect(absolute.value).toBeCloseTo(1, 9)
    expect(varianceReduction).toBeCloseTo(1, 9)
    expect([same.feedsBefore(0), same.users]).toEqual([1, 200])
  })
})
