import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import { Evaluation, Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseExperiments } from '@freshet/experiments/file/parse'
import { afterAll, describe, expect, it } from 'vitest'
import { aBlender, rankedPins } from '../blender.harness.ts'
import { defaultParams } from '../params.ts'
import { blenderSchema } from '../config.ts'
import { experimentRules } from './file.ts'
import { overriddenParams } from './overridden-params.ts'
import { tunedFactors } from './utility-tuning.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-experiments-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

/** A file with one layer that gives half of the users each arm. */
function fileOf(on: object, more: object = {}): string {
  const arms = [
    { name: 'off', share: 0.5 },
    { name: 'on', share: 0.5, ...on },
  ]
  const layers = [{ name: 'one', salt: 's', experiments: [{ name: 'try', control: 'off', arms }] }]
  return write(`${files++}.json`, { layers, ...more })
}

function write(name: string, content: unknown): string {
  const file = join(folder, name)
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content))
  renameSync(`${file}.new`, file)
  return file
}

/** The first of a list that is about this user. */
function of<Item extends { readonly userId: string }>(user: string, list: readonly Item[]): Item {
  return list.find(({ userId }) => userId === user)!
}

const users = Array.from({ length: 30 }, (_, n) => `u${n}`)

describe('an experiment', () => {
  it('changes parameters of its arm only, and both arms are recorded with the version of the file', async () => {
    const experimentsFile = fileOf({ params: { maxCandidates: 7, minCandidates: 0 } })
    const { feed, services, servedFeeds } = await aBlender({ config: { experimentsFile, minCandidates: 0 } })
    for (const userId of users) await feed({ userId })
    const served = await servedFeeds()
    expect(served).toHaveLength(users.length)
    const arms = new Set<string>()
    for (const { experiments, versions, userId } of served) {
      const { arm } = experiments[0]!
      arms.add(arm)
      expect(experiments).toEqual([{ layer: 'one', bucket: expect.any(Number) as number, experiment: 'try', arm }])
      expect(of(userId, services.retrieved).limit).toBe(arm === 'on' ? 7 : 300)
      expect(versions!.experiments).toMatch(/^[0-9a-f]{16}$/)
    }
    expect([...arms].sort()).toEqual(['off', 'on'])
  })

  it('is recorded only for feeds for which a stage read its parameter', async () => {
    const experimentsFile = fileOf({ params: { rankBudgetMs: 33 } })
    const { feed, services, servedFeeds } = await aBlender({ config: { experimentsFile } })
    await feed()
    services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'gone'))
    expect((await feed()).degradation).toBe(Degradation.LAST_GOOD)
    expect((await servedFeeds()).map(({ experiments }) => experiments.length)).toEqual([1, 0])
  })

  it.each<[object, { onlySources?: string[]; withoutSources?: string[] }]>([
    [{ withoutSources: ['trending'] }, { onlySources: ['trending'] }],
    [{ onlySources: ['trending'] }, { withoutSources: ['trending'] }],
    [{ onlySources: ['trending'] }, { onlySources: ['pin2vec'] }],
  ])('that leaves a request no source gives way: %j for %j', async (arm, request) => {
    const { feed, services } = await aBlender({ config: { experimentsFile: fileOf(arm) } })
    for (const userId of users) await feed({ userId, ...request })
    const asked = services.retrieved.map(({ sources, withoutSources }) => ({ sources, withoutSources }))
    const own = { sources: request.onlySources ?? [], withoutSources: request.withoutSources ?? [] }
    expect(asked).toEqual(users.map(() => own))
  })

  it('chooses sources, the model and factors of heads; the record has what the ranker applied', async () => {
    const experimentsFile = fileOf({ withoutSources: ['trending'], model: 'm-2', headFactors: { save: 2 } })
    const { feed, services, servedFeeds } = await aBlender({ config: { experimentsFile } })
    services.rank = (request) => ({
      ...rankedPins(request),
      modelVersion: request.modelVersion || 'fake-1',
      headFactors: request.headFactors,
    })
    for (const userId of users) await feed({ userId })
    for (const { userId, experiments, headFactors, modelVersion } of await servedFeeds()) {
      const isOn = experiments[0]!.arm === 'on'
      expect(of(userId, services.retrieved).withoutSources).toEqual(isOn ? ['trending'] : [])
      expect(of(userId, services.ranked).modelVersion).toBe(isOn ? 'm-2' : '')
      expect(modelVersion).toBe(isOn ? 'm-2' : 'fake-1')
      expect(headFactors && [headFactors.heads, [...float32Column(headFactors.factors)]]).toEqual(
        isOn ? [['save'], [2]] : undefined,
      )
    }
  })

  it('does not degrade a feed if the ranker does not hold its model, and the reasons say so', async () => {
    const experimentsFile = fileOf({ model: 'gone' })
    const { feed, servedFeeds } = await aBlender({ config: { experimentsFile } })
    const answers = []
    for (const userId of users) answers.push({ userId, ...(await feed({ userId })) })
    for (const { userId, experiments, modelVersion } of await servedFeeds()) {
      expect(modelVersion).toBe('fake-1')
      expect(of(userId, answers)).toMatchObject({
        degradation: Degradation.NONE,
        reasons: experiments[0]!.arm === 'on' ? ['FEED_MODEL_NOT_HELD'] : [],
      })
    }
  })

  it('costs nobody the ranking if it names a head that the model does not have', async () => {
    const utilityTuning = { sigma: 0.1, share: 1, heads: ['love'], salt: 's' }
    const { feed, services } = await aBlender({ config: { utilityTuning } })
    services.rank = (request) => {
      if (request.headFactors !== undefined) throw new ContractError('CALL_INVALID_ARGUMENT', 'head_factors.heads[0]')
      return rankedPins(request)
    }
    const answer = await feed()
    expect(answer).toMatchObject({ degradation: Degradation.NONE, reasons: ['FEED_HEAD_FACTORS_REFUSED'] })
    expect(answer.items[0]!.pinId).toBe('pin-299')
  })

  it('is not for evaluations, held-out users and requests without a user', async () => {
    const holdOut = { share: 0.3, salt: 'h' }
    const experimentsFile = fileOf({ params: { seed: 5 } }, { holdOut })
    const { feed, related, servedFeeds } = await aBlender({ config: { experimentsFile } })
    await feed({ evaluation: Evaluation.fromPartial({ amongPinIds: ['pin-1', 'pin-2'] }) })
    await related()
    for (const userId of users) await feed({ userId })
    const served = await servedFeeds()
    expect(of('ada', served).experiments).toEqual([])
    expect(of('', served).experiments).toEqual([])
    const known = served.filter(({ userId }) => users.includes(userId))
    const kinds = known.map(({ experiments }) =>
      experiments.map(({ experiment, arm }) => `${experiment} ${arm}`).join(),
    )
    expect(new Set(kinds)).toEqual(new Set(['hold-out held-out', 'hold-out others,try on', 'hold-out others,try off']))
  })

  it('follows its file: uses a new one, and keeps the old one if the new one is bad', async () => {
    const name = 'changing.json'
    const experimentsFile = write(name, { layers: [] })
    const { blender, clock, events, feed, servedFeeds } = await aBlender({ config: { experimentsFile } })
    await blender.start()
    const versionNow = async (): Promise<string> => {
      await clock.advance(5_000)
      await feed()
      return (await servedFeeds()).at(-1).versions!.experiments
    }
    const first = await versionNow()
    write(name, { layers: [{ name: 'x', salt: 'y', experiments: [] }] })
    await expect.poll(versionNow).not.toBe(first)
    const second = await versionNow()
    write(name, { layers: 1 })
    await expect.poll(async () => (await versionNow(), blender.warning())).toMatch(`of version ${second} stay`)
    expect(await versionNow()).toBe(second)
    expect(events.filter(({ what }) => what === 'experiments')).toMatchObject([
      { error: { code: 'EXPERIMENTS_SHAPE' } },
    ])
    await blender.stop()
  })

  it('is in EXPERIMENTS.md as a file that can be used', () => {
    const page = readFileSync(join(import.meta.dirname, '../../EXPERIMENTS.md'), 'utf8')
    const text = /```json\n([\s\S]*?)```/.exec(page)![1]!
    const { layers } = parseExperiments(text, 'EXPERIMENTS.md', experimentRules(blenderSchema.parse({})))
    expect(layers.flatMap(({ experiments }) => experiments.map(({ name }) => name))).toEqual([
      'no-trending',
      'optimism',
    ])
  })

  it('stops the start of the blender if its file is bad', async () => {
    const experimentsFile = write('bad.json', '{')
    const { blender } = await aBlender({ config: { experimentsFile } })
    await expect(blender.start()).rejects.toMatchObject({ code: 'EXPERIMENTS_UNREADABLE' })
    const missing = await aBlender({ config: { experimentsFile: join(folder, 'missing.json') } })
    await expect(missing.blender.start()).rejects.toMatchObject({ code: 'EXPERIMENTS_UNREADABLE' })
  })
})

describe('overridden parameters', () => {
  it('report each reading, keep all other values, and leave the given object as it is', () => {
    const base = { ...defaultParams(blenderSchema.parse({})), nested: { deep: { a: 1, b: 2 }, other: 3 } }
    const read: string[] = []
    const reading = (path: readonly string[], value?: unknown) => ({
      path,
      own: value === undefined ? undefined : { path, value },
      onRead: () => void read.push(path.join('.')),
    })
    const params = overriddenParams(base, [
      reading(['nested', 'deep', 'a'], 7),
      reading(['nested', 'deep', 'b']),
      reading(['seed'], 9),
    ]) as typeof base
    expect([params.maxCandidates, params.nested.other, read]).toEqual([300, 3, []])
    expect([params.nested.deep.a, params.nested.deep.b, params.seed]).toEqual([7, 2, 9])
    expect(read).toEqual(['nested.deep.a', 'nested.deep.b', 'seed'])
    expect([base.nested.deep.a, base.seed]).toEqual([1, 1])
  })
})

describe('utility tuning', () => {
  const tuning = { sigma: 0.2, share: 0.5, heads: ['save', 'click'], salt: 's' }

  it('gives half of the users in the share each sign, independently for two heads, always the same', () => {
    const many = Array.from({ length: 8_000 }, (_, n) => tunedFactors(tuning, `u${n}`))
    const tuned = many.filter(({ size }) => size > 0)
    expect(Math.abs(tuned.length / many.length - 0.5)).toBeLessThan(0.03)
    const counts = new Map<string, number>()
    for (const factors of tuned) {
      const key = [...factors].map(([head, factor]) => `${head}${Math.log(factor).toFixed(2)}`).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(4)
    for (const count of counts.values()) expect(Math.abs(count / tuned.length - 0.25)).toBeLessThan(0.03)
    expect(tunedFactors(tuning, 'u1')).toEqual(tunedFactors(tuning, 'u1'))
  })

  it('is not for requests without a user', () => {
    expect(tunedFactors({ ...tuning, share: 1 }, '').size).toBe(0)
    expect(() => blenderSchema.parse({ utilityTuning: { sigma: 0.1 } })).toThrow(/name the heads/)
  })
})
