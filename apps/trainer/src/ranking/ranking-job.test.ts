import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import type { ModelRecord } from '@freshet/domain/model-record'
import { artefactName, decodeArtefact } from '@freshet/ranking/artefact/bytes'
import { checkModelFits } from '@freshet/ranking/artefact/fit'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { chooseBackend } from '@freshet/ranking/tensor/backend'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rankingSchema } from './config.ts'
import { createRankingJob } from './ranking-job.ts'
import { feedBatches } from './rows.fixture.ts'

const inputs = `spec home
input candidate.retrieval_score, pin.smoothed_save_rate, candidate.position
training only candidate.position = 0
`
const linear = `${inputs}
feature retrieval = log(candidate.retrieval_score)
head save: probability = retrieval + linear(retrieval, pin.smoothed_save_rate, log1p(candidate.position))
utility = save
`
const deep = `${inputs}
layer trunk = mlp(standardise(concat(log(candidate.retrieval_score), pin.smoothed_save_rate)), hidden: [8])
head save: probability = linear(trunk, log1p(candidate.position)), calibrate: platt
head dwell: amount = linear(trunk), label: dwellSeconds
utility = save
train epochs: 30, batch: 128, rate: 0.03
`
const startMs = Date.UTC(2026, 0, 1)
const clock = createVirtualClock(startMs)
const aLog = () => createMemoryEventLog({ clock })
let folder = ''
let specs = 0
beforeAll(async () => {
  await chooseBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'freshet-ranking-job-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function aJob(
  specText: string,
  config: object = {},
  { pause = () => Promise.resolve(), log = aLog(), models = createMemoryArtefactStore() } = {},
) {
  const specFile = join(folder, `${++specs}.rank`)
  await writeFile(specFile, specText)
  await log.applyTopics(topicLayouts(1))
  const errors: (Error & { readonly code?: string })[] = []
  const records: ModelRecord[] = []
  const job = createRankingJob({
    log,
    clock,
    config: rankingSchema.parse({ specFile, trainIntervalMs: 60_000, newShare: 0, ...config }),
    models,
    earlierRows: async function* () {},
    pause,
    onError: (error) => errors.push(error),
    onTrained: (record) => records.push(record),
  })
  await job.start({ timers: false })
  const train = async (batches: readonly RowBatch[]): Promise<void> => {
    for (const batch of batches) job.take(batch)
    await clock.advance(60_000)
    await job.runDue()
  }
  const artefact = async ({ version }: ModelRecord) => {
    const name = artefactName('home', version)
    return decodeArtefact(await models.get(name), name)
  }
  return { job, train, artefact, records, errors, specFile, log, models }
}

const before = feedBatches({ feeds: 60, seed: 1 })
const after = feedBatches({ feeds: 40, seed: 2, fromMs: 2_000_000 })

describe('training of a linear spec', () => {
  it('publishes a model that fits its plan, with metrics of heads and statistics of every input', async () => {
    const { job, train, artefact, records, errors } = await aJob(linear)
    await train(before)
    expect(errors).toEqual([])
    expect(records).toMatchObject([{ stage: 'serving', trainingRows: 600, parentVersion: null }])
    expect(records[0]!.reason).toMatch(
      /^passed the gate: log loss save .* \(mean .*\); NDCG .* \(retrieval .*\) over \d+ feeds$/,
    )
    const { manifest, model } = await artefact(records[0]!)
    checkModelFits(model, transformCatalogue, 'test')
    expect(manifest.metrics['save']!.auc).toBeGreaterThan(0.75)
    expect(manifest.metrics['save']!.deciles.reduce((sum, { rows }) => sum + rows, 0)).toBe(manifest.heldOutRows)
    expect(manifest.meanPredictions!['save']).toBeGreaterThan(0.2)
    expect(Object.keys(manifest.inputs).sort()).toEqual(model.plan.inputs.map(({ name }) => name).sort())
    expect(manifest.inputs['candidate.position']).toMatchObject({ count: 600, missingShare: 0, mean: 4.5 })
    const kernel = [...model.parameters.weights].find(([key]) => key.endsWith('/numbers_kernel'))![1]
    expect(kernel.values[1]).toBeGreaterThan(2)
    await job.stop()
  })

  it('removes artefacts that no model has, and keeps those of models', async () => {
    const { job, train, records, errors, models } = await aJob(linear)
    await models.put(artefactName('home', 'home-never-registered'), new Uint8Array([1]))
    await models.put(artefactName('other', 'other-1'), new Uint8Array([1]))
    await train(before)
    const kept = [artefactName('home', records[0]!.version), artefactName('other', 'other-1')]
    expect([await models.list('models/'), errors]).toEqual([kept, []])
    await job.stop()
  })

  it('learns a changed spec from the next training on, and the one before while the file has mistakes', async () => {
    const { job, train, records, errors, specFile } = await aJob(linear)
    await train(before)
    await writeFile(specFile, linear.replace('log1p(candidate.position)', 'log1p(candidate.positoin)'))
    await train(after)
    expect(errors).toMatchObject([{ code: 'SPEC_UNKNOWN_NAME' }])
    expect(records.map(({ planHash }) => planHash)).toEqual([records[0]!.planHash, records[0]!.planHash])
    await writeFile(specFile, linear.replace('utility = save', 'utility = 2 * save'))
    await train(feedBatches({ feeds: 40, seed: 3, fromMs: 4_000_000 }))
    expect(errors).toHaveLength(1)
    expect(records).toHaveLength(3)
    expect(records[2]!.planHash).not.toBe(records[0]!.planHash)
    await job.stop()
  })

  it('compares later models with the serving one, from whose weights they begin', async () => {
    const { job, train, records, errors } = await aJob(linear)
    await train(before)
    await train(after)
    expect(errors).toEqual([])
    expect(records).toMatchObject([{ stage: 'serving' }, { stage: 'serving', parentVersion: records[0]!.version }])
    expect(records[1]!.reason).toMatch(/^passed the gate: log loss save .* \(serving [\d.]+\)$/)
    expect(job.stats()).toMatchObject({ rows: 1_000, newestAtMs: records[1]!.trainedAtMs })
    expect([...job.stats().outcomes]).toEqual([['published', 2]])
    await job.stop()
  })

  it('believes a model whose rows are not in the window, so that few new rows do not undo it', async () => {
    const first = await aJob(linear)
    await first.train(feedBatches({ feeds: 200, seed: 1 }))
    await first.job.stop()
    // Another process, which has only rows of after that model: those of 60 feeds.
    const { log, models } = first
    const { job, train, artefact, records, errors } = await aJob(linear, {}, { log, models })
    await train(feedBatches({ feeds: 60, seed: 2, fromMs: 2_000_000 }))
    expect(errors).toEqual([])
    expect(records).toMatchObject([{ stage: 'serving', parentVersion: first.records[0]!.version }])
    const kernelOf = async (record: ModelRecord, from: Pick<typeof first, 'artefact'>) =>
      [...(await from.artefact(record)).model.parameters.weights].find(([key]) => key.endsWith('/numbers_kernel'))![1]
        .values
    const [before, after] = [await kernelOf(first.records[0]!, first), await kernelOf(records[0]!, { artefact })]
    const alone = await aJob(linear)
    await alone.train(feedBatches({ feeds: 60, seed: 2, fromMs: 2_000_000 }))
    const unaided = await kernelOf(alone.records[0]!, alone)
    const apart = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, at) => value - b[at]!))
    expect(apart(before, after)).toBeLessThan(0.5 * apart(before, unaided))
    await Promise.all([job.stop(), alone.job.stop()])
  })

  it('rejects a first model that orders feeds worse than retrieval does, and says so', async () => {
    const wrong = linear.replace(
      'utility = save',
      'head click: probability = linear(pin.smoothed_save_rate)\nutility = click - 100 * save',
    )
    const { job, train, records } = await aJob(wrong)
    await train(before.map((batch) => ({ ...batch, retrievalScore: batch.features.filter((_, at) => at % 2 === 1) })))
    expect(records).toMatchObject([
      {
        stage: 'rejected',
        reason: expect.stringMatching(
          /^orders feeds worse than retrieval does: NDCG 0\.\d+ \(retrieval 0\.\d+\) over \d+ feeds$/,
        ) as string,
      },
    ])
    expect([...job.stats().outcomes]).toEqual([['worse-than-retrieval', 1]])
    expect(job.stats().newestAtMs).toBeNull()
    await job.stop()
  })
})

describe('training of a spec with layers', () => {
  it('learns by gradient descent with calibration, and goes on from the serving weights', async () => {
    let pauses = 0
    const pause = (): Promise<void> => {
      pauses++
      return Promise.resolve()
    }
    const { job, train, artefact, records, errors } = await aJob(deep, {}, { pause })
    await train(feedBatches({ feeds: 120, seed: 1 }))
    await train(feedBatches({ feeds: 60, seed: 2, fromMs: 2_000_000 }))
    expect(errors).toEqual([])
    expect(records.map(({ stage }) => stage)).toEqual(['serving', 'serving'])
    const [first, second] = await Promise.all(records.map(artefact))
    for (const { model, manifest } of [first!, second!]) {
      checkModelFits(model, transformCatalogue, 'test')
      expect(model.parameters.fitted.get('head:save')).toMatchObject({ slope: expect.any(Number) as number })
      expect(manifest.metrics['save']!.auc).toBeGreaterThan(0.75)
      expect(manifest.metrics['dwell']!.auc).toBeNull()
    }
    const statistics = [...first!.model.parameters.fitted.keys()].filter((name) => name !== 'head:save')
    for (const name of statistics)
      expect(second!.model.parameters.fitted.get(name)).toEqual(first!.model.parameters.fitted.get(name))
    expect(pauses).toBeGreaterThan(50)
    await job.stop()
  })
})

describe('rows that cannot be learned', () => {
  it('of one class only end the training by name', async () => {
    const { job, train, records, errors } = await aJob(linear)
    await train(before.map((batch) => ({ ...batch, labels: { ...batch.labels, save: new Uint8Array(batch.rows) } })))
    expect(records).toEqual([])
    expect(errors).toMatchObject([
      { code: 'TRAINING_ONE_CLASS', message: expect.stringMatching(/save is 0 in all/) as string },
    ])
    expect([...job.stats().outcomes]).toEqual([['TRAINING_ONE_CLASS', 1]])
    await job.stop()
  })

  it('of one class in one head leave it to the others', async () => {
    const hides = linear.replace(
      'utility = save',
      'head hide: probability = linear(retrieval)\nutility = save - 10 * hide',
    )
    const { job, train, records, errors } = await aJob(hides)
    await train(before)
    expect(errors).toEqual([])
    expect(records).toMatchObject([{ stage: 'serving' }])
    await job.stop()
  })

  it('without a usable one end the training by name, with the reasons', async () => {
    const { job, train, errors } = await aJob(linear)
    await train(before.map((batch) => ({ ...batch, features: batch.features.map(() => NaN) })))
    expect(errors).toMatchObject([
      {
        code: 'TRAINING_WINDOW_EMPTY',
        message: 'no row of the window can train: 600 of 600 training rows left out: 600 × it was not ranked',
      },
    ])
    await job.stop()
  })

  it('with a label that nobody records end the training by name', async () => {
    const { job, train, errors } = await aJob(
      linear
        .replace('probability =', 'probability =')
        .replace('log1p(candidate.position))', 'log1p(candidate.position)), label: bought'),
    )
    await train(before)
    expect(errors).toMatchObject([
      { code: 'TRAINING_LABEL_ABSENT', message: expect.stringMatching(/no row has the label bought/) as string },
    ])
    await job.stop()
  })

  it('are left out if they are corrupt: 1 % of the rows, and the message says how many and why', async () => {
    const { job, train, records, errors } = await aJob(linear)
    let row = 0
    const damage = (batch: RowBatch): RowBatch => ({
      ...batch,
      features: batch.features.map((value, at) => (at % 2 === 1 && row++ % 100 === 0 ? NaN : value)),
    })
    await train(before.map(damage))
    expect(records).toMatchObject([{ stage: 'serving', trainingRows: 594 }])
    expect(errors).toMatchObject([
      {
        code: 'TRAINING_ROWS_LEFT_OUT',
        message: '6 of 600 training rows left out: 6 × pin_smoothed_save_rate is not a finite number',
      },
    ])
    expect([...job.stats().leftOut]).toEqual([['pin_smoothed_save_rate is not a finite number', 6]])
    await train(after)
    expect(errors).toHaveLength(1)
    await job.stop()
  })
})

describe('the job', () => {
  it('refuses a spec with mistakes at the start, as spec check does', async () => {
    await expect(aJob('spec home\nhead save: probability = linear(pin.colour)\nutility = save')).rejects.toMatchObject({
      problems: expect.any(Array) as unknown[],
    })
  })

  it('trains only when it is time and enough rows are new', async () => {
    const { job, train, records } = await aJob(linear, { minRows: 300, minNewRows: 100 })
    await train(before.slice(0, 20))
    expect(records).toEqual([])
    await train(before.slice(20))
    await train(after.slice(0, 5))
    expect(records).toHaveLength(1)
    await train(after.slice(5, 10))
    expect(records).toHaveLength(2)
    await job.stop()
  })

  it('stops within a training', async () => {
    const stops: Promise<void>[] = []
    const pause = (): Promise<void> => {
      if (stops.length === 0) stops.push(given.job.stop())
      return Promise.resolve()
    }
    const given = await aJob(deep, {}, { pause })
    await given.train(before)
    await Promise.all(stops)
    expect([given.records, given.errors]).toEqual([[], []])
  })
})
