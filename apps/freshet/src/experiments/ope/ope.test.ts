import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { noonMs } from '@freshet/domain/testing'
import { evaluatePolicy } from '@freshet/experiments/off-policy/evaluate'
import { afterAll, describe, expect, it } from 'vitest'
import { openFolder } from '../../operations/platform.ts'
import { aTerminal } from '../../operations/terminal.fixture.ts'
import { aFeedRecord, simulateDraws, writeSimulated, type Simulated } from '../simulated.fixture.ts'
import { runExperimentsOpe, type OpeArguments } from './command.ts'
import { drawnFeedOf, type DrawnFeed } from './drawn-feeds.ts'
import { slatesOf } from './slates-of-feeds.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-ope-'))
afterAll(() => rmSync(folder, { recursive: true }))

const args = { window: '30', level: '95', reward: 'save', temperatureTimes: '0.5', resamples: '100', seed: '1' }
let folders = 0

/** A data folder with simulated records. */
async function aFolder(simulated: Simulated): Promise<string> {
  const data = join(folder, `data-${folders++}`)
  const open = await openFolder({ data }, 2)
  await writeSimulated(open.log, simulated)
  await open.close()
  return data
}

interface Answer {
  readonly logged: { readonly value: number }
  readonly estimates: readonly {
    readonly estimator: string
    readonly value: number
    readonly low: number
    readonly high: number
  }[]
  readonly leftOut: Readonly<Record<string, number>>
  readonly misfits: number
  readonly warnings: readonly string[]
  readonly overlap: { readonly slates: number; readonly meanWeight: number }
}

async function answerTo(given: Partial<OpeArguments>): Promise<Answer> {
  const terminal = aTerminal()
  await runExperimentsOpe({ ...args, json: true, ...given }, terminal)
  return JSON.parse(terminal.printed.join('')) as Answer
}

describe('off-policy evaluation of a log', () => {
  it('estimates what feeds of the target really earn', async () => {
    const nowMs = Date.now()
    const data = await aFolder(simulateDraws({ seed: 1, users: 700, nowMs, temperature: 1 }))
    const played = await aFolder(simulateDraws({ seed: 2, users: 4_000, nowMs, temperature: 0.5 }))
    const truth = (await answerTo({ data: played })).logged.value
    const { estimates, logged, overlap, leftOut, misfits, warnings } = await answerTo({ data })
    expect(truth).toBeGreaterThan(logged.value)
    expect([leftOut, misfits]).toEqual([{ 'not-whole': 0, 'values-unknown': 0, damaged: 0 }, 0])
    expect(Math.abs(overlap.meanWeight - 1)).toBeLessThan(0.2)
    expect(warnings).toEqual([])
    expect(estimates).toHaveLength(8)
    for (const { estimator, low, high } of estimates) {
      expect(low, estimator).toBeLessThan(truth + 0.05)
      expect(high, estimator).toBeGreaterThan(truth - 0.05)
    }
  }, 60_000)

  it('prints text, writes the columns of Open Bandit Pipeline, and counts feeds that it cannot judge', async () => {
    const simulated = simulateDraws({ seed: 3, users: 60, nowMs: Date.now(), temperature: 1, isOlder: true })
    const changed = (at: number, change: (feed: FeedServed) => Partial<FeedServed>): void => {
      const feed = FeedServed.decode(simulated.feeds[at]!.value!)
      simulated.feeds[at] = aFeedRecord({ ...feed, ...change(feed) })
    }
    changed(0, ({ propensities }) => ({ propensities: bytesOf(float32Column(propensities).map(() => NaN)) }))
    changed(1, ({ utilities }) => ({ utilities: bytesOf(float32Column(utilities).map((value, at) => value + 9 * at)) }))
    changed(2, () => ({ propensities: new Uint8Array(4) }))
    changed(3, ({ pinIds }) => ({
      ordering: [
        {
          step: 'spacing',
          added: bytesOf(new Float32Array(pinIds.length).fill(NaN)),
          notes: [],
          noted: new Uint8Array(0),
        },
      ],
    }))
    simulated.feeds.push({ key: 'user-1', value: Uint8Array.of(0xff), partition: null })
    const data = await aFolder(simulated)
    const terminal = aTerminal()
    const file = join(folder, 'slates.csv')
    await runExperimentsOpe({ ...args, data, export: file }, terminal)
    const text = terminal.printed.join('')
    const judged = simulated.feeds.length - 5
    expect(text).toMatch(new RegExp(`save per feed, from ${judged} feeds of \\d+ users`))
    expect(text).toMatch(
      /1 are not the beginning of a drawn order, 1 lack the utilities of some pins, 2 are damaged, 1 have probabilities that do not fit/,
    )
    expect(text).toMatch(/doubly robust, self-normalised/)
    expect(text).toMatch(/% of the first positions would go to candidates that are not on the page; .* an estimate/)
    const [header, ...rows] = readFileSync(file, 'utf8').trim().split('\n')
    expect(header).toMatch(
      /^slate_id,position,action,reward,pscore,pscore_cascade,pscore_item_position,evaluation_policy_pscore,/,
    )
    expect(rows).toHaveLength(judged * 4)
    const cells = rows.slice(0, 4).map((row) => row.split(',').map(Number))
    expect(cells.map(([slate, position]) => [slate, position])).toEqual([0, 1, 2, 3].map((place) => [0, place]))
    // The cascade of the last position is the whole slate.
    expect(cells[3]![5]).toBeCloseTo(cells[3]![4]!, 9)
    expect(cells[3]![8]).toBeCloseTo(cells[0]![7]!, 9)
  })

  it('judges a change of the weights of heads, exactly if all candidates are on the page', () => {
    const weights = new Map([['save', 2]])
    const values = [1, 0.5]
    const first = Math.exp(1) / (Math.exp(1) + Math.exp(0.5))
    const served = FeedServed.fromPartial({
      ...{ feedId: 'f', userId: 'u', atMs: noonMs, pinIds: ['a', 'b'], actions: ['save'] },
      utilities: bytesOf(Float32Array.from(values)),
      probabilities: bytesOf(Float32Array.of(0.1, 0.9)),
      propensities: bytesOf(Float32Array.of(first, 1)),
      draw: {
        temperature: 1,
        candidates: 2,
        slateLogPropensity: Math.log(first),
        positionPropensities: new Uint8Array(8),
      },
    })
    const feed = drawnFeedOf(served) as DrawnFeed
    const rewards = Float64Array.of(0, 1)
    const { slates } = slatesOf([{ feed, rewards }], { temperatureTimes: 1, addedWeights: weights }, 'save')
    expect(slates[0]!.targetSteps[0]).toBeCloseTo(Math.exp(1.2) / (Math.exp(1.2) + Math.exp(2.3)), 6)
    expect(evaluatePolicy(slates, { level: 0.9, resamples: 50, seed: 1 }).estimates[0]!.value).toBeCloseTo(
      slates[0]!.targetSteps[0]! / first,
      6,
    )
    const missing = slatesOf([{ feed, rewards }], { temperatureTimes: 1, addedWeights: new Map([['hide', 1]]) }, 'save')
    expect(missing).toMatchObject({ slates: [], misfits: 1 })
    const unknown = drawnFeedOf({ ...served, probabilities: bytesOf(Float32Array.of(0.1, NaN)) }) as DrawnFeed
    const target = { temperatureTimes: 1, addedWeights: weights }
    expect(slatesOf([{ feed: unknown, rewards }], target, 'save')).toMatchObject({ slates: [], misfits: 1 })
  })

  it.each([
    [{ reward: 'love' }, /--reward is love; give save, click/],
    [{ temperatureTimes: '0' }, /--temperature-times is 0; give a number/],
    [{ temperatureTimes: '1' }, /the target is the logged policy/],
    [{ add: ['save'] }, /--add is save; give HEAD=NUMBER/],
    [{ add: ['save=1e999'] }, /--add is save=1e999; give HEAD=NUMBER/],
    [{ resamples: '1' }, /--resamples is 1/],
  ])('refuses %j', async (given, message) => {
    await expect(runExperimentsOpe({ ...args, data: 'none', ...given }, aTerminal())).rejects.toThrow(message)
  })

  it('says that a log has no drawn feed', async () => {
    const data = await aFolder({ feeds: [], acts: [] })
    await expect(runExperimentsOpe({ ...args, data }, aTerminal())).rejects.toMatchObject({ code: 'EXPERIMENTS_EMPTY' })
  })
})
