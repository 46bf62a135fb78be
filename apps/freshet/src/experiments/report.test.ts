import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { tunedFactors } from '@freshet/blender/experiments/utility-tuning'
import { topicLayouts } from '@freshet/contracts/topics'
import { noonMs } from '@freshet/domain/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { openFolder } from '../operations/platform.ts'
import { aTerminal } from '../operations/terminal.fixture.ts'
import { readExperiments, runExperimentsCheck } from './check.ts'
import { collectExperiments } from './collect.ts'
import { measureGradient, runExperimentsGradient } from './gradient.ts'
import { judge, type ExperimentReport } from './judge.ts'
import { runExperimentsReport } from './report.ts'
import { reportLines } from './report-text.ts'
import { simulateUsers, writeSimulated, type Simulated, type SimulatedUsers } from './simulated.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-report-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = join(folder, 'experiments.json')
const arms = [
  { name: 'off', share: 0.3 },
  { name: 'on', share: 0.3, params: { explorationOptimism: 1 } },
]
writeFileSync(
  file,
  JSON.stringify({ layers: [{ name: 'one', salt: 's', experiments: [{ name: 'try', control: 'off', arms }] }] }),
)
const experiments = await readExperiments(file, undefined)
const choice = { fromMs: -Infinity, toMs: Infinity, windowMs: 1_800_000, level: 0.95 }
const args = { window: '30', level: '95' }

async function aLog(simulated: Simulated) {
  const log = createMemoryEventLog({ clock: createVirtualClock(noonMs) })
  await log.applyTopics(topicLayouts(4))
  await writeSimulated(log, simulated)
  return log
}

/** The report of simulated users. */
async function reportOf(given: Partial<SimulatedUsers>, plan = true): Promise<ExperimentReport> {
  const users = { seed: 1, users: 1_200, nowMs: noonMs, experiments, lift: () => 0, ...given }
  const collected = await collectExperiments(await aLog(simulateUsers(users)), choice, aTerminal())
  return judge(collected.experiments[0]!, plan ? experiments : null, 0.95)
}

describe('a report of experiments', () => {
  it('finds a lift of saves within its interval, and none of closeups; arms have their shares', async () => {
    const report = await reportOf({ users: 3_000, lift: (names) => (names.includes('on') ? 0.04 : 0) })
    expect(report).toMatchObject({ control: 'off', isPlanned: true, unit: 'user', crossovers: 0, warnings: [] })
    expect(report.sampleRatio).toMatchObject({ isMismatch: false, expected: [0.5, 0.5] })
    const [off, on] = report.arms
    expect([off!.arm, on!.arm]).toEqual(['off', 'on'])
    expect(Math.abs(on!.users / 3_000 - 0.3)).toBeLessThan(0.03)
    const saves = on!.metrics[0]!.difference!
    // Four pins in each feed.
    expect(saves.absolute.low).toBeLessThan(0.16)
    expect(saves.absolute.high).toBeGreaterThan(0.16)
    expect(saves.p).toBeLessThan(0.001)
    expect(on!.metrics.find(({ metric }) => metric === 'hides per feed')!.difference).toMatchObject({
      relative: null,
      p: 1,
    })
    expect(on!.metrics.find(({ metric }) => metric === 'feeds per user')!.difference!.p).toBeGreaterThan(0.001)
  })

  it('finds a planted sample-ratio mismatch', async () => {
    const report = await reportOf({ recordedArm: (arm, user) => (arm === 'on' && user % 4 === 0 ? null : arm) })
    expect(report.sampleRatio!.isMismatch).toBe(true)
    expect(report.warnings.join()).toMatch(/sample-ratio mismatch/)
  })

  it('finds an arm of the file that lost all its users', async () => {
    const report = await reportOf({ recordedArm: (arm) => (arm === 'on' ? null : arm) })
    expect(report.arms.map(({ arm }) => arm)).toEqual(['off'])
    expect(report.sampleRatio).toMatchObject({ isMismatch: true, observed: [1, 0], expected: [0.5, 0.5] })
    expect(report.warnings.join()).toMatch(/the arm on of the experiment file was not seen.*sample-ratio mismatch/)
    expect(reportLines([report], { feeds: 1, damaged: 0 }, 0.95).join('\n')).toMatch(/100\.00 % of 50\.00 % expected/)
  })

  it('counts users who met two arms, and leaves them out', async () => {
    const recordedArm = (arm: string, user: number, feed: number) => (user % 10 === 0 && feed % 2 === 1 ? 'on' : arm)
    const report = await reportOf({ recordedArm })
    expect(report.crossovers).toBeGreaterThan(2)
    expect(report.warnings.join()).toMatch(/met more than one arm and are left out/)
    const whole = await reportOf({})
    const usersIn = ({ arms: all }: ExperimentReport) => all.reduce((sum, { users }) => sum + users, 0)
    expect(usersIn(report)).toBe(usersIn(whole) - report.crossovers)
  })

  it('knows control and shares without the file from the buckets', async () => {
    const report = await reportOf({}, false)
    expect(report).toMatchObject({ control: 'off', isPlanned: false })
    expect(report.sampleRatio!.isMismatch).toBe(false)
  })

  it('takes what users did before their exposure out of the difference', async () => {
    const lift = (names: readonly string[]) => (names.includes('on') ? 0.04 : 0)
    const report = await reportOf({ lift, feedsBefore: 6 })
    const [off, on] = report.arms
    expect(off!.metrics[0]!.adjusted).toBeNull()
    const { difference, adjusted } = on!.metrics[0]!
    // Four pins in each feed.
    expect(adjusted!.absolute.low).toBeLessThan(0.16)
    expect(adjusted!.absolute.high).toBeGreaterThan(0.16)
    expect(adjusted!.varianceReduction).toBeGreaterThan(0.15)
    expect(adjusted!.absolute.standardError).toBeLessThan(0.93 * difference!.absolute.standardError)
    const lines = reportLines([report], { feeds: 1, damaged: 0 }, 0.95).join('\n')
    expect(lines).toMatch(/relative +p +adjusted +p +variance/)
    expect(lines).toMatch(/ −\d\d %/)
    const usual = await reportOf({ lift })
    expect(usual.arms[1]!.metrics[0]!.adjusted).toBeNull()
  })

  it('counts feeds before the chosen time as before, but none that was exposed', async () => {
    const users = { seed: 1, users: 300, nowMs: noonMs, experiments, lift: () => 0, feedsBefore: 3 }
    const log = await aLog(simulateUsers(users))
    const whole = await collectExperiments(log, choice, aTerminal())
    const from = await collectExperiments(log, { ...choice, fromMs: noonMs - 60_000 }, aTerminal())
    expect(from.feeds).toBe(whole.feeds - 3 * 300)
    const later = await collectExperiments(log, { ...choice, fromMs: noonMs - 60_000 + 4 }, aTerminal())
    for (const { experiments: found } of [whole, from, later])
      for (let row = 0; row < found[0]!.sums.users; row++) expect(found[0]!.sums.feedsBefore(row)).toBe(3)
  })

  it('prints a data folder as text and as JSON', async () => {
    const data = join(folder, 'data')
    const open = await openFolder({ data }, 2)
    const factors = (user: string) => tunedFactors({ sigma: 0.2, share: 1, heads: ['save'], salt: 't' }, user)
    const users = { seed: 1, users: 400, nowMs: Date.now(), experiments, lift: () => 0, factors }
    await writeSimulated(open.log, simulateUsers(users))
    await open.close()
    const terminal = aTerminal()
    await runExperimentsReport({ ...args, data, experiments: file }, terminal)
    const text = terminal.printed.join('')
    expect(text).toMatch(/experiment try of the layer one, drawn by user; control off/)
    expect(text).toMatch(/saves per feed +off +\d\.\d+ \[/)
    const json = aTerminal()
    await runExperimentsReport({ ...args, data, json: true }, json)
    expect(JSON.parse(json.printed.join(''))).toMatchObject({ experiments: [{ experiment: 'try' }], level: 0.95 })
    const gradient = aTerminal()
    await runExperimentsGradient({ ...args, data }, gradient)
    expect(gradient.printed.join('')).toMatch(/head save, sigma 0\.2: \d+ users above, \d+ below/)
    const later = { ...args, data, from: '2100-01-01T00:00:00Z' }
    await expect(runExperimentsReport(later, aTerminal())).rejects.toMatchObject({ code: 'EXPERIMENTS_EMPTY' })
    await expect(runExperimentsGradient(later, aTerminal())).rejects.toMatchObject({ code: 'EXPERIMENTS_EMPTY' })
    const other = runExperimentsReport({ ...args, data, only: 'nothing' }, aTerminal())
    await expect(other).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('a gradient', () => {
  it('covers the planted slopes of two heads', async () => {
    const tuning = { sigma: 0.3, share: 1, heads: ['save', 'hide'], salt: 't' }
    const slopes: Readonly<Record<string, number>> = { save: 0.1, hide: 0 }
    const truth = (head: string): number => 4 * slopes[head]!
    let covered = 0
    for (let seed = 1; seed <= 10; seed++) {
      const factors = (user: string) => tunedFactors({ ...tuning, salt: `t${seed}` }, user)
      const users = { seed, users: 250, nowMs: noonMs, experiments: null, lift: () => 0, factors }
      const log = await aLog(simulateUsers({ ...users, slope: (head) => slopes[head]! }))
      for (const { head, sigma, effects } of await measureGradient(log, choice, aTerminal())) {
        expect(sigma).toBeCloseTo(0.3, 5)
        const { value, low, high } = effects[0]!.perLogWeight
        if (low <= truth(head) && truth(head) <= high) covered++
        if (head === 'save') expect(value).toBeGreaterThan(0)
      }
    }
    // 20 intervals of 95 %: fewer than 16 have a probability of .003.
    expect(covered).toBeGreaterThanOrEqual(16)
  }, 60_000)
})

describe('records that cannot be read', () => {
  it('are counted, though they are in no experiment and have no factors', async () => {
    const log = await aLog({ feeds: [{ key: 'u', value: Uint8Array.of(0xff), partition: null }], acts: [] })
    expect(await collectExperiments(log, choice, aTerminal())).toMatchObject({ experiments: [], damaged: 1 })
    const told: string[] = []
    const progress = { write: (text: string) => told.push(text) > 0 }
    expect(await measureGradient(log, choice, { ...aTerminal(), progress })).toEqual([])
    expect(told).toEqual(['freshet: 1 records cannot be read\n'])
  })
})

describe('checking an experiment file', () => {
  it('prints arms and warnings', async () => {
    const terminal = aTerminal()
    await runExperimentsCheck(file, {}, terminal)
    const text = terminal.printed.join('')
    expect(text).toMatch(/layer one, drawn by user: 60 % of the buckets are used/)
    expect(text).toMatch(/on +30 % +buckets 300–599 +explorationOptimism = 1/)
    expect(text).toMatch(/warning: there is no holdOut/)
    const json = aTerminal()
    await runExperimentsCheck(file, { json: true }, json)
    expect(JSON.parse(json.printed.join(''))).toMatchObject({ version: experiments.version, layers: [{ name: 'one' }] })
  })

  it('prints each problem with its code, and fails', async () => {
    const bad = join(folder, 'bad.json')
    const on = { name: 'on', share: 0.9, params: { explorationOptimisn: 1 } }
    const layers = [{ name: 'one', salt: 's', experiments: [{ name: 'try', control: 'off', arms: [arms[0], on] }] }]
    writeFileSync(bad, JSON.stringify({ layers }))
    const terminal = aTerminal()
    await expect(runExperimentsCheck(bad, {}, terminal)).rejects.toMatchObject({ code: 'EXPERIMENTS_PARAMETER' })
    const text = terminal.printed.join('')
    expect(text).toMatch(/EXPERIMENTS_PARAMETER: .*did you mean explorationOptimism\?/)
    expect(text).toMatch(/EXPERIMENTS_SHARES: .*1\.2 in all/)
    const missing = runExperimentsCheck(join(folder, 'missing.json'), { json: true }, aTerminal())
    await expect(missing).rejects.toMatchObject({ code: 'EXPERIMENTS_UNREADABLE' })
  })
})
