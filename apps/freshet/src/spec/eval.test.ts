import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { decodeArtefact, encodeArtefact } from '@freshet/ranking/artefact/bytes'
import { loadSpec } from '@freshet/ranking/model/spec-file'
import { hashOfPlan } from '@freshet/ranking/plan/plan'
import { linearParameters, planOfSpec } from '@freshet/ranking/spec/plan-of-spec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Terminal } from '../operations/terminal.ts'
import { runTrain } from '../train/command.ts'
import { runSpecEval, type EvalArguments } from './eval.ts'
import type { Evaluation } from './evaluation.ts'
import { runSpecExplain, type ExplainArguments } from './explain.ts'

const backend = process.env['TENSORFLOW_BACKEND'] ?? 'wasm'
let folder: string

const shop = `spec shop
input user: category
input topic: category
input hour: scalar
input position: scalar
training only position = 0
feature day = hour / 24
feature liked = vocabulary(topic, max: 8)
layer tastes = embedding(vocabulary(user, max: 8), liked, size: 4)
layer place = linear(log1p(position))
head click: probability = linear(mlp(tastes, day, hidden: [8]), place), calibrate: platt
head dwell: amount = linear(tastes)
utility = 2 * click + 0.1 * dwell
train epochs: 4, rate: 0.03, batch: 100
`

const serving = `spec served
input pin.topics, candidate.topic_affinity, candidate.sources, candidate.position
training only candidate.position = 0
feature topics = length(pin.topics)
feature affinity = candidate.topic_affinity * 2
feature found = length(candidate.sources)
head save: probability = 0.5 * affinity - candidate.position
utility = save
expose topics, found
`

function rowsText(count: number, seed: number): string {
  const random = mulberry32(seed)
  return Array.from({ length: count }, () => {
    const [user, topic] = [Math.floor(random() * 4), Math.floor(random() * 4)]
    const click = random() < (user === topic ? 0.9 : 0.1) ? 1 : 0
    const values = {
      user: `u${user}`,
      topic: `t${topic}`,
      hour: Math.floor(24 * random()),
      position: Math.floor(9 * random()),
    }
    return JSON.stringify({ labels: { click, dwell: click * 20 }, values })
  }).join('\n')
}

const exported = JSON.stringify({
  labels: {},
  values: { user: 'ann', topics: ['bread', 'cake'], topic_affinity: 0.25, sources: ['trending'], position: 7 },
})

function path(name: string): string {
  return join(folder, name)
}

/** What a command writes: its answer and its progress. */
async function run(command: (terminal: Terminal) => Promise<void>) {
  const [answer, progress]: [string[], string[]] = [[], []]
  await command({
    write: (text) => void answer.push(text),
    progress: { write: (text) => progress.push(text) },
    nowMs: () => 0,
    signal: new AbortController().signal,
  })
  return { answer: answer.join(''), progress: progress.join('') }
}

function evaluate(spec: string, rows: string, more: Partial<EvalArguments> = {}) {
  const given = { rows: path(rows), limit: '20', backend, ...more }
  return run((terminal) => runSpecEval(path(spec), given, terminal))
}

function explain(more: Partial<ExplainArguments> = {}) {
  return run((terminal) =>
    runSpecExplain(path('shop.rank'), { backend, model: path('model/model.freshet'), ...more }, terminal),
  )
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-eval-'))
  await writeFile(path('rows.jsonl'), rowsText(600, 1))
  await writeFile(path('later.jsonl'), rowsText(200, 2))
  await writeFile(path('exported.jsonl'), exported)
  await writeFile(path('shop.rank'), shop)
  await writeFile(path('other.rank'), shop.replace('hidden: [8]', 'hidden: [9]'))
  await writeFile(path('served.rank'), serving)
  const given = { rows: path('rows.jsonl'), validate: path('later.jsonl'), seed: '1', out: path('model'), backend }
  await run((terminal) => runTrain(path('shop.rank'), given, terminal))
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

describe('freshet spec eval', () => {
  it('prints values, predictions and the utility of each row', async () => {
    const { answer } = await evaluate('shop.rank', 'later.jsonl', { model: path('model/model.freshet'), json: true })
    const { rows, needModel, model } = JSON.parse(answer) as Evaluation
    expect(model).toMatch(/^shop-[0-9a-f]{16}$/)
    expect(needModel).toEqual([])
    expect(rows).toHaveLength(20)
    const [first] = rows
    expect(Object.keys(first!.values)).toEqual(['liked', 'tastes', 'day', 'place'])
    expect(first!.values['tastes']).toHaveLength(8)
    const { click, dwell } = first!.predictions!
    expect(click).toBeGreaterThan(0)
    expect(click).toBeLessThan(1)
    expect(first!.utility).toBeCloseTo(2 * click! + 0.1 * dwell!, 10)
  })

  it('takes the serving value of what only training knows', async () => {
    const { answer, progress } = await evaluate('shop.rank', 'later.jsonl', {
      model: path('model/model.freshet'),
      json: true,
    })
    const places = (JSON.parse(answer) as Evaluation).rows.map(({ values }) => values['place'])
    expect(new Set(places).size).toBe(1)
    expect(progress).toContain('position is 0, as in serving')
  })

  it('computes without a model what needs none, and says what needs one', async () => {
    const { answer } = await evaluate('shop.rank', 'later.jsonl', { limit: '2' })
    expect(answer).toMatch(/^shop: plan [0-9a-f]{16}, no model\nrow +day\n {2}1 /)
    expect(answer).toContain('because they are fitted to training rows: liked\n')
    expect(answer).toContain('because their weights are learned: tastes, place, click, dwell\n')
    expect(answer).not.toContain('utility')
  })

  it('reads exported rows by the names of serving, and scores formulas without a model', async () => {
    const { answer } = await evaluate('served.rank', 'exported.jsonl')
    expect(answer.split('\n').slice(1)).toEqual([
      'row  topics  found  affinity  P(save)  utility',
      '  1       2      1       0.5  0.56218  0.56218',
      '',
    ])
  })

  it('repeats the inputs that --columns names, and suggests the nearest name', async () => {
    const { answer } = await evaluate('shop.rank', 'later.jsonl', { columns: 'hour, day', json: true })
    const [{ values }] = (JSON.parse(answer) as Evaluation).rows as [Evaluation['rows'][number]]
    expect(values['day']).toBeCloseTo((values['hour'] as number) / 24, 6)
    await expect(evaluate('shop.rank', 'later.jsonl', { columns: 'dayy' })).rejects.toThrow('did you mean day?')
  })

  it('refuses a model of another plan', async () => {
    const model = path('model/model.freshet')
    await expect(evaluate('other.rank', 'later.jsonl', { model })).rejects.toMatchObject({ code: 'MODEL_PLAN_DIFFERS' })
  })
})

describe('a spec in JSON', () => {
  it('is evaluated and explained with a model that the trainer learned for the home feed', async () => {
    const spec = join(import.meta.dirname, '../../../../libs/ranking/specs/home.json')
    const loaded = await loadSpec(spec)
    if (loaded.kind !== 'json') throw new TypeError(loaded.kind)
    const plan = planOfSpec(loaded.spec, 'home')
    const weights = Array.from({ length: plan.inputs.length }, () => 0)
    const parameters = linearParameters(
      plan.heads.map(({ name: action }) => ({ action, bias: Math.log(0.25), weights })),
    )
    const { manifest } = decodeArtefact(await readFile(path('model/model.freshet')), 'model')
    const own = { ...manifest, version: 'home-1', planHash: hashOfPlan(plan), meanPredictions: {} }
    const model = path('home.model')
    await writeFile(model, encodeArtefact({ manifest: own, model: { plan, parameters } }))
    const given = { rows: path('exported.jsonl'), limit: '20', backend, model, json: true }
    const { answer } = await run((terminal) => runSpecEval(spec, given, terminal))
    const { rows } = JSON.parse(answer) as Evaluation
    expect(rows.map(({ predictions }) => predictions!['save'])).toEqual([expect.closeTo(0.2, 6)])
    const explained = await run((terminal) => runSpecExplain(spec, { backend, model, rows: given.rows }, terminal))
    expect(explained.answer).toMatch(/P\(save\) +\S+ +0\.2 /)
  })
})

describe('freshet spec explain --model', () => {
  it('prints what each head adds to the utility, by the rows held out in training', async () => {
    const { answer } = await explain()
    expect(answer).toMatch(/by the mean predictions of shop-[0-9a-f]{16} on 200 held-out rows:/)
    expect(answer).toMatch(
      /\n {2}P\(click\) +2 +0\.\d+ +0\.\d+ +\d+\.\d %\n {2}E\[dwell\] +0\.1 +\d+\.\d+ +\d+\.\d+ +\d+\.\d %\n/,
    )
    const { model } = JSON.parse((await explain({ json: true })).answer) as {
      model: { shares: readonly { weight: number; meanPrediction: number; utility: number; share: number }[] }
    }
    expect(model.shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10)
    for (const { weight, meanPrediction, utility } of model.shares) expect(utility).toBe(weight * meanPrediction)
  })

  it('computes mean predictions of other rows', async () => {
    const { answer } = await explain({ rows: path('rows.jsonl') })
    expect(answer).toMatch(/on 600 rows of .*rows\.jsonl:/)
    const { model: _, ...without } = { rows: path('rows.jsonl'), model: '' }
    await expect(
      run((terminal) => runSpecExplain(path('shop.rank'), { backend, ...without }, terminal)),
    ).rejects.toThrow('--rows needs --model')
  })
})
