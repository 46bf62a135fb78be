import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { compareArms, estimateArm, usersOf } from './compare.ts'
import { chiSquareAbove, normalBelow, normalBeyond, normalQuantile } from './distributions.ts'
import { sampleRatioOf } from './sample-ratio.ts'
import { createUserSums, type UserSums } from './user-sums.ts'

const level = 0.95
const perFeed = { level, per: 'feed' } as const

describe('distributions', () => {
  it('have the values of tables', () => {
    expect(normalBelow(1.959964)).toBeCloseTo(0.975, 6)
    expect(normalBelow(-3)).toBeCloseTo(0.001349898, 9)
    expect(normalBeyond(2.5758293)).toBeCloseTo(0.01, 7)
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 6)
    expect(normalQuantile(0.001)).toBeCloseTo(-3.0902323, 6)
    expect(chiSquareAbove(10.828, 1)).toBeCloseTo(0.001, 5)
    expect(chiSquareAbove(5.991465, 2)).toBeCloseTo(0.05, 7)
    expect(chiSquareAbove(29.588, 10)).toBeCloseTo(0.001, 5)
    expect(chiSquareAbove(0, 3)).toBe(1)
  })
})

/** Users with their own taste and number of feeds; `lift` is what the second arm adds to every user's rate. */
function simulate(seed: number, users: number, lift: number): UserSums {
  const random = mulberry32(seed)
  const sums = createUserSums(2, 1)
  for (let user = 0; user < users; user++) {
    const arm = user % 2
    const rate = 0.1 + 0.5 * random() ** 2
    const feeds = 1 + Math.floor(12 * random() ** 3)
    for (let feed = 0; feed < feeds; feed++)
      sums.add(`u${user}`, arm, [Number(random() < rate) + Number(random() < rate + arm * lift)])
  }
  return sums
}

describe('comparing arms', () => {
  it('has the ratio of sums, not the mean of ratios', () => {
    const sums = createUserSums(1, 1)
    sums.add('a', 0, [1])
    for (const saves of [0, 0, 1]) sums.add('b', 0, [saves])
    expect(estimateArm(sums, 0, 0, perFeed).value).toBe(0.5)
    expect(estimateArm(sums, 0, 'feeds', { level, per: 'user' }).value).toBe(2)
    expect(usersOf(sums, 0, {})).toBe(2)
  })

  it.each([0, 0.04])('covers a true difference of %d in 95 % of 600 simulations, within binomial bounds', (lift) => {
    const runs = 600
    let covered = 0
    let coveredRelative = 0
    let rejected = 0
    // The truth by hand: E[rate] = 0.1 + 0.5/3. Rate and number of feeds are independent.
    const mean = 0.1 + 0.5 / 3
    for (let run = 0; run < runs; run++) {
      const { absolute, relative, p } = compareArms(simulate(run + 1, 400, lift), { arm: 1, control: 0 }, 0, perFeed)
      if (absolute.low <= lift && lift <= absolute.high) covered++
      const truth = lift / (2 * mean)
      if (relative!.low <= truth && truth <= relative!.high) coveredRelative++
      if (p < 0.05) rejected++
    }
    // Four standard deviations of a binomial count with p = 0.95.
    const slack = 4 * Math.sqrt(runs * 0.95 * 0.05)
    expect(Math.abs(covered - 0.95 * runs)).toBeLessThan(slack)
    expect(Math.abs(coveredRelative - 0.95 * runs)).toBeLessThan(slack)
    if (lift === 0) expect(rejected).toBe(runs - covered)
  })

  it('covers too rarely if feeds are taken for independent: the test of coverage can fail', () => {
    let covered = 0
    for (let run = 0; run < 600; run++) {
      const sums = simulate(run + 1, 400, 0)
      const flat = createUserSums(2, 1)
      for (let row = 0; row < sums.users; row++)
        for (const arm of [0, 1])
          for (let feed = 0; feed < sums.feeds(row, arm); feed++)
            flat.add(`${row}/${feed}`, arm, [sums.sum(row, arm, 0) / sums.feeds(row, arm)])
      const { absolute } = compareArms(flat, { arm: 1, control: 0 }, 0, perFeed)
      if (absolute.low <= 0 && absolute.high >= 0) covered++
    }
    expect(covered).toBeLessThan(540)
  })

  it('pairs users who are in both arms, and leaves out those whom it should', () => {
    const random = mulberry32(5)
    const sums = createUserSums(2, 1)
    for (let user = 0; user < 100; user++) {
      const own = 10 * random()
      sums.add(`u${user}`, 0, [own])
      sums.add(`u${user}`, 1, [own + 1])
    }
    const { absolute } = compareArms(sums, { arm: 1, control: 0 }, 0, perFeed)
    expect(absolute.value).toBeCloseTo(1, 9)
    expect(absolute.standardError).toBeLessThan(1e-9)
    expect(sums.crossovers()).toHaveLength(100)
    expect(estimateArm(sums, 0, 0, { ...perFeed, without: new Set(sums.crossovers()) }).value).toBeNaN()
  })
})

describe('sums by user', () => {
  it('keep what users did before and in each arm, however many come; arms that nobody is in take no memory', () => {
    const users = 20_000
    const before = process.memoryUsage().arrayBuffers
    const sums = createUserSums(20, 5)
    const one = [1, 0, 0, 0, 2]
    for (let user = 0; user < users; user++) {
      sums.begin(`u${user}`, user % 3, [user % 3 === 0 ? 0 : user, 0, 0, 0, 0])
      sums.add(`u${user}`, user % 2 === 0 ? 3 : 7, one)
    }
    // Three columns of 32,768 users and six numbers are 4.7 MB; those of all arms would be 33 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(15_000_000)
    for (const row of [0, 1, 63, 64, 65, users - 1]) {
      expect([sums.feeds(row, 3), sums.feeds(row, 7)]).toEqual(row % 2 === 0 ? [1, 0] : [0, 1])
      expect(sums.sum(row, row % 2 === 0 ? 3 : 7, 4)).toBe(2)
      expect(sums.feedsBefore(row)).toBe(row % 3)
      expect(sums.sumBefore(row, 0)).toBe(row % 3 === 0 ? 0 : row)
    }
    expect(sums.feeds(0, 19)).toBe(0)
    expect(sums.crossovers()).toEqual([])
  })
})

describe('the sample ratio', () => {
  it('is a mismatch if users of one arm are lost, and not by chance', () => {
    const random = mulberry32(3)
    let alarms = 0
    for (let run = 0; run < 500; run++) {
      const counts = [0, 0]
      for (let user = 0; user < 2_000; user++) counts[Number(random() < 0.5)]!++
      if (sampleRatioOf(counts, [1, 1]).isMismatch) alarms++
    }
    expect(alarms).toBeLessThanOrEqual(4)
    expect(sampleRatioOf([10_000, 9_400], [100, 100])).toMatchObject({ isMismatch: true })
    expect(sampleRatioOf([10_000, 20_000], [100, 200])).toMatchObject({ isMismatch: false, p: 1, deviation: 0 })
  })

  it('needs a deviation of .1 %, however many users there are', () => {
    const ratio = sampleRatioOf([50_040_000, 49_960_000], [1, 1])
    expect(ratio.p).toBeLessThan(0.001)
    expect(ratio.isMismatch).toBe(false)
    expect(sampleRatioOf([0, 0], [1, 1]).isMismatch).toBe(false)
  })
})
