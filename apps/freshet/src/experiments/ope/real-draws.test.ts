import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { orderingSchema } from '@freshet/blender/ordering/config'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { hash32 } from '@freshet/domain/hash'
import { evaluatePolicy, type PolicyReport } from '@freshet/experiments/off-policy/evaluate'
import { afterAll, describe, expect, it } from 'vitest'
import { aTerminal } from '../../operations/terminal.fixture.ts'
import { aCreator, aTopic, aWhole, type Act, type Whole } from '../../whole.fixture.ts'
import { collectDrawn, type DrawnFeeds } from './collect-drawn.ts'
import { exportSlates } from './export-slates.ts'
import { slatesOf, type TargetPolicy, type TargetSlates } from './slates-of-feeds.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-real-draws-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [pins, creators, places, users] = [24, 6, 4, 240]
/** The seed is in the text. The draw of a feed depends on the user id and the seed of the product, 1. */
const chance = (text: string): number => hash32(`7/${text}`) / 2 ** 32
/** The click model: a user looks at each place less often than at the one above, and saves what is liked. */
const looks = [1, 0.8, 0.6, 0.5]
const attraction = (pinId: string): number => 0.05 + 0.6 * (1 - numberOf(pinId) / pins) ** 2
const numberOf = (pinId: string): number => Number(pinId.slice('pin-'.length))

/** How feeds are drawn. */
interface Policy {
  readonly temperature: number
  /** Settings of the ordering; default: those of the product. */
  readonly ordering?: object
  /** What a save is worth in the utility; default: 4, as in the spec of the product. */
  readonly saveWorth?: number
}

/** The whole product, with pins that earlier users saved as often as they deserve. */
async function aProduct({ temperature, ordering, saveWorth = 4 }: Policy): Promise<{ whole: Whole; log: EventLog }> {
  let log: EventLog | null = null
  const settings = orderingSchema.parse({ ...ordering, draw: { share: 1, temperature } })
  const specFile = specWith(saveWorth)
  const whole = await aWhole({ blender: { ordering: settings }, ranking: { specFile } }, (seen) => (log = seen))
  const catalogue = Array.from({ length: pins }, (_, n) => `pin-${n}`)
  await whole.pins(
    catalogue.map((pinId, n) => [
      pinId,
      { topics: [aTopic(`topic-${n % 4}`)], creatorId: aCreator(`creator-${n % creators}`) },
    ]),
  )
  const past = Array.from({ length: 8 }, (_, user) =>
    catalogue.flatMap((pinId): Act[] =>
      chance(`past ${user} ${pinId}`) < attraction(pinId) ? [{ userId: `old-${user}`, action: 'save', on: pinId }] : [],
    ),
  )
  await whole.act(...past.flat())
  return { whole, log: log! }
}

/** A spec with weights of its own: without a file, the product ranks by a model that predicts no heads. */
function specWith(saveWorth: number): string {
  const spec = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../../../libs/ranking/specs/home.json'), 'utf8'),
  ) as { actions: { save: { worth: number } } }
  spec.actions.save.worth = saveWorth
  const file = join(folder, `spec-${saveWorth}.json`)
  writeFileSync(file, JSON.stringify(spec))
  return file
}

interface Played extends DrawnFeeds {
  /** Saves per feed that the click model expects of the feeds that were played. */
  readonly expected: number
}

/** One feed of each user, then what they do: so no user's acts change another one's feed. */
async function play(policy: Policy): Promise<Played> {
  const { whole, log } = await aProduct(policy)
  const acts: Act[] = []
  let expected = 0
  for (let user = 0; user < users; user++) {
    const userId = `user-${user}`
    const { feedId, items } = await whole.feed({ userId, pageSize: places })
    for (const [place, { pinId }] of items.entries()) {
      const rate = attraction(pinId) * looks[place]!
      expected += rate / users
      if (chance(`${userId} ${pinId} ${policy.temperature}`) < rate)
        acts.push({ userId, action: 'save', on: pinId, feedId })
    }
  }
  await whole.act(...acts)
  await whole.embedded.blender.flush()
  await whole.stop()
  const choice = {
    fromMs: -Infinity,
    toMs: Infinity,
    windowMs: 3_600_000,
    reward: 'save',
    heads: new Set(['save']),
  } as const
  return { ...(await collectDrawn(log, choice, aTerminal())), expected }
}

function judged(
  { feeds, leftOut }: Played,
  target: Partial<TargetPolicy>,
): { readonly slates: TargetSlates; readonly report: PolicyReport } {
  const slates = slatesOf(feeds, { temperatureTimes: 1, addedWeights: new Map(), ...target }, 'save')
  expect([leftOut, slates.misfits]).toEqual([{ 'not-whole': 0, 'values-unknown': 0, damaged: 0 }, 0])
  expect(slates.slates).toHaveLength(users)
  return { slates, report: evaluatePolicy(slates.slates, { level: 0.95, resamples: 200, seed: 1 }) }
}

function expectCovers({ estimates, overlap }: PolicyReport, truth: number): void {
  expect(Math.abs(overlap.meanWeight - 1)).toBeLessThan(4 * overlap.meanWeightError + 1e-9)
  for (const { estimator, low, high } of estimates) {
    expect(low, estimator).toBeLessThan(truth)
    expect(high, estimator).toBeGreaterThan(truth)
  }
}

/** Without steps that depend on the scale of utilities, and without caps. */
const plain = {
  diversity: { method: 'none' },
  spacing: { creator: { weight: 0 }, topic: { weight: 0 } },
  caps: { creator: { most: 25 }, topic: { most: 25, mostAtStart: 25 } },
}
/** Caps that keep many candidates out. */
const tight = { caps: { creator: { most: 1 }, topic: { most: 2, mostAtStart: 2 } } }

describe('feeds that the product drew', () => {
  it('are judged as another temperature, really played, earns, in both directions, though caps keep candidates out', async () => {
    const [warm, cool] = [
      await play({ temperature: 0.6, ordering: tight }),
      await play({ temperature: 0.4, ordering: tight }),
    ]
    expect(cool.expected).toBeGreaterThan(warm.expected)
    const { slates, report } = judged(warm, { temperatureTimes: 0.4 / 0.6 })
    expect(slates.feeds.every(({ feed }) => feed.draw.rest.keptOutFrom!.some((from) => from < places))).toBe(true)
    expectCovers(report, cool.expected)
    expectCovers(judged(cool, { temperatureTimes: 0.6 / 0.4 }).report, warm.expected)
    const itself = judged(warm, { addedWeights: new Map([['save', 0]]) }).report
    expectCovers(itself, warm.expected)
    for (const { value } of itself.estimates) expect(value).toBeCloseTo(itself.logged.value, 3)
  }, 240_000)

  it('are judged as other weights of the utility, really played, earn; the export holds what other evaluators demand', async () => {
    const [usual, other] = [
      await play({ temperature: 0.6, ordering: plain }),
      await play({ temperature: 0.6, ordering: plain, saveWorth: 6 }),
    ]
    const { slates, report } = judged(usual, { addedWeights: new Map([['save', 2]]) })
    expect(report.estimates).toHaveLength(8)
    expectCovers(report, other.expected)
    const file = join(folder, 'slates.csv')
    expect(await exportSlates(file, slates.feeds, slates.slates, 'save')).toBe(users * places)
    expectOpenBandit(readFileSync(file, 'utf8'), report)
  }, 240_000)
})

/** The conditions of Open Bandit Pipeline on slates, and its standard estimator, from the columns alone. */
function expectOpenBandit(csv: string, report: PolicyReport): void {
  const [header, ...lines] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','))
  const column = (name: string) => lines.map((cells) => Number(cells[header!.indexOf(name)]))
  const [slate, position, reward] = [column('slate_id'), column('position'), column('reward')]
  expect(new Set(slate.map((id, row) => `${id} ${position[row]}`)).size).toBe(lines.length)
  for (const prefix of ['', 'evaluation_policy_']) {
    const [whole, cascade, item] = ['pscore', 'pscore_cascade', 'pscore_item_position'].map((name) =>
      column(prefix + name),
    )
    for (let row = 0; row < lines.length; row++) {
      const isLast = position[row] === places - 1
      expect(cascade![row]).toBeGreaterThan(0)
      expect(cascade![row]).toBeLessThanOrEqual(item![row]! * (1 + 1e-5))
      expect(item![row]).toBeLessThanOrEqual(1)
      if (isLast) expect(cascade![row]! / whole![row]!).toBeCloseTo(1, 6)
      else expect(cascade![row + 1]).toBeLessThanOrEqual(cascade![row]!)
    }
  }
  const [logged, target] = [column('pscore'), column('evaluation_policy_pscore')]
  const sum = reward.reduce((total, each, row) => total + (each * target[row]!) / logged[row]!, 0)
  expect(sum / users).toBeCloseTo(report.estimates.find(({ estimator }) => estimator === 'standard IPS')!.value, 6)
}
