import { describe, expect, it } from 'vitest'
import { runFreshet } from '../quality/freshet.ts'
import { createPolicy } from './policies.ts'
import type { WorldReport } from './protocol.ts'
import { defaultWorld } from './settings.ts'
import { playWorld } from './world.ts'

const small = { ...defaultWorld, users: 40, pins: 300, days: 2 }
const program = `npx node test/worlds/run.ts --protocol --users ${small.users} --pins ${small.pins} --days ${small.days}`

describe('the product in a small world', () => {
  it('shows better pages than chance, and the same ones every time', async () => {
    const args = ['world', '--json', '--command', program]
    const [first, second] = [await runFreshet(args), await runFreshet(args)]
    expect(second).toBe(first)
    const report = JSON.parse(first) as WorldReport
    expect(report.days.map(({ day }) => day)).toEqual([0, 1])
    expect(Object.keys(report.calibration)).toEqual(expect.arrayContaining(['save', 'hide']))
    const { shareOfBest: byChance } = await playWorld(small, createPolicy('random', 1))
    expect(report.shareOfBest).toBeGreaterThan(byChance)
  })

  it('ends when it is asked to, and reports the days until then', async () => {
    const report = JSON.parse(
      await runFreshet(['world', '--json', '--until', '18h', '--command', program]),
    ) as WorldReport
    expect(report.days.map(({ day }) => day)).toEqual([0])
    expect(report.days[0]!.feeds).toBeGreaterThan(20)
  })
})
