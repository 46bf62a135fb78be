import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PinFacts } from '../features/read-candidates.ts'
import { servingInputs } from '../language/serving-inputs.ts'
import { createPlanScorer } from '../model/plan-scorer.ts'
import type { TrainedModel } from '../model/trained-model.ts'
import { PlanError } from '../plan/plan-error.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import { randomPlan } from '../plan/random-plans.fixture.ts'
import { plainRows } from '../plan/testing.ts'
import { planColumns } from '../rows/plan-columns.ts'
import { rowBatchOf } from '../rows/rows.fixture.ts'
import type { RowBatch } from '../rows/row-batch.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import type { RankingPage } from './page.ts'
import { pageInputsOf } from './page-inputs.ts'
import { createPlanModel } from './plan-model.ts'
import { randomPage } from './random-pages.fixture.ts'
import type { PinFact } from './pin-facts.ts'
import type { PageScores, ServingModel } from './serving-model.ts'
import { deepSpecText, planOfText, randomModel } from './testing.ts'

type Random = () => number

const scalar = { kind: 'scalar' } as const
const served = servingInputs.filter(({ name }) => name !== 'candidate.position')
const position = { name: 'candidate.position', type: scalar, side: 'candidate' } as const

/** A random plan over what serving has, with a probability and an amount, perhaps with a first phase. */
function randomServedPlan(random: Random): Plan {
  const chosen = served.filter(({ feature }) => feature === null || random() < 0.12)
  const inputs = [...chosen.map(({ name, type, side }) => ({ name, type, side })), position]
  const plan = randomPlan(random, 10, inputs)
  const readable = [...plan.inputs.map(({ name, type }) => ({ id: name, type })), ...plan.nodes]
    .filter(({ type }) => ['scalar', 'vector', 'index'].includes(type.kind))
    .map(({ id }) => id)
  const scalars = plan.nodes.filter(({ type }) => type.kind === 'scalar').map(({ id }) => id)
  const some = (): string[] => readable.filter(() => random() < 0.4)
  const head = (id: string): PlanNode => ({
    id,
    transform: 'linear',
    args: ['candidate.position', ...some()],
    params: { units: 1 },
    type: scalar,
    side: 'candidate',
  })
  const rest = { lossWeight: 1, calibrate: 'none' } as const
  return {
    ...plan,
    nodes: [...plan.nodes, head('logit'), head('log_seconds')],
    heads: [
      { ...rest, name: 'save', kind: 'probability', label: 'save', value: 'logit' },
      { ...rest, name: 'dwell', kind: 'amount', label: 'dwellSeconds', value: 'log_seconds' },
    ],
    utility: [
      { head: 'save', weight: 4 },
      { head: 'dwell', weight: 0.1 },
    ],
    exposed: [...scalars, 'logit'],
    trainingOnly: [{ input: 'candidate.position', servingValue: 0 }],
    firstPhase: scalars.length > 0 && random() < 0.3 ? { score: scalars[0]!, keep: 3 } : null,
  }
}

/** A model of the plan; a plan that cannot be fitted to random rows is drawn again. */
function fittedOrSkipped(plan: Plan, seed: number): TrainedModel {
  try {
    return randomModel(plan, seed)
  } catch (error) {
    fc.pre(!(error instanceof PlanError && error.code === 'PLAN_UNFITTABLE'))
    throw error
  }
}

/** The rows that a served page leaves behind: features and facts from the answer, the rest from the request. */
function recorded(page: RankingPage, model: ServingModel, { features, facts }: PageScores): RowBatch {
  const { sources, foundBy, userId, surface, locale } = page.request
  const all = <Value>(value: Value): Value[] => page.pinIds.map(() => value)
  // A batch holds sources of several feeds in any order.
  const names = sources.toReversed()
  const ranks = page.pinIds.flatMap((_, row) =>
    names.map((name) => ((foundBy[row]! >>> sources.indexOf(name)) % 2 === 1 ? 1 : NaN)),
  )
  return {
    ...rowBatchOf(page.pinIds.map((pinId) => ({ feedId: 'f', pinId }))),
    features,
    featureNames: model.featureNames,
    userIds: all(userId),
    surfaces: all(surface),
    locales: all(locale),
    sourceNames: names,
    sourceRanks: Float32Array.from(ranks),
    creatorIds: textsOf(facts, 'pin.creator', page.pinIds.length).map(([creator = '']) => creator),
    topics: textsOf(facts, 'pin.topics', page.pinIds.length),
  }
}

function textsOf(facts: readonly PinFact[], name: string, rows: number): readonly (readonly string[])[] {
  const fact = facts.find((each) => each.name === name)
  let next = 0
  return Array.from({ length: rows }, (_, row) => {
    const count = fact?.counts[row] ?? 0
    return fact?.texts.slice(next, (next += count)) ?? []
  })
}

function pinsOf({ pinIds }: RankingPage, facts: PinFacts) {
  return pinIds.map((pinId) => facts.entryOf(pinId)?.pin ?? null)
}

const seeds = fc.record({ seed: fc.integer(), rows: fc.integer({ min: 1, max: 12 }) })

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe('what a plan serves', () => {
  it('is what the plan computes from the recorded features and facts, to the last bit', () => {
    let withPhase = 0
    let compared = 0
    fc.assert(
      fc.property(seeds, ({ seed, rows }) => {
        const random = mulberry32(seed)
        const model = fittedOrSkipped(randomServedPlan(random), seed)
        const { page, facts } = randomPage(random, rows)
        const serving = createPlanModel(model, 'random', 'a test')
        const scores = serving.score(page, facts)
        const { trainingOnly, ...plan } = model.plan
        const inputs = plan.inputs.filter(({ name }) => !trainingOnly.some(({ input }) => input === name))
        const columns = planColumns({ spec: plan.spec, inputs }, [
          { batch: recorded(page, serving, scores), rows: null },
        ])
        const read = pageInputsOf(model.plan).columns(page, { features: scores.features, pins: pinsOf(page, facts) })
        for (const { name } of inputs)
          expect([name, plainRows(columns.get(name)!)]).toEqual([name, plainRows(read.get(name)!, rows)])
        const again = createPlanScorer(model, 'random')
        const { utilities, predictions, exposed } = again.score(columns, rows)
        const kept = serving.score(page, facts)
        expect([bits(kept.utilities), bits(kept.exposed)]).toEqual([bits(scores.utilities), bits(scores.exposed)])
        expect(bits(scores.utilities)).toEqual(bits(utilities))
        expect(bits(scores.predictions)).toEqual(bits(predictions))
        expect(bits(scores.exposed)).toEqual(bits(exposed))
        if (model.plan.firstPhase !== null && rows > 3) withPhase++
        compared += rows
        serving.dispose()
        again.dispose()
      }),
      { numRuns: 60 },
    )
    expect(withPhase).toBeGreaterThan(1)
    expect(compared).toBeGreaterThan(200)
  })

  it('is the same for a candidate whatever the other candidates are, to the last bit', () => {
    const deep = planOfText(deepSpecText)
    fc.assert(
      fc.property(seeds, fc.boolean(), ({ seed, rows }, isDeep) => {
        const random = mulberry32(seed)
        const plan = isDeep ? deep : { ...randomServedPlan(random), firstPhase: null }
        const model = createPlanModel(fittedOrSkipped(plan, seed), 'random', 'a test')
        const { page, facts } = randomPage(random, rows)
        const whole = model.score(page, facts)
        const row = Math.floor(random() * rows)
        const alone = model.score(onlyRow(page, row), facts)
        expect(bits(alone.utilities)).toEqual([bits(whole.utilities)[row]])
        const heads = [...model.heads.keys()]
        expect(bits(alone.predictions)).toEqual(heads.map((head) => bits(whole.predictions)[head * rows + row]))
        const width = model.exposedNames.length
        expect(bits(alone.exposed)).toEqual(bits(whole.exposed).slice(row * width, (row + 1) * width))
        model.dispose()
      }),
      { numRuns: 40 },
    )
  })
})

/** The page with one of its candidates. */
function onlyRow(page: RankingPage, row: number): RankingPage {
  const { pinIds, retrievalScores, retrieval, request } = page
  const width = retrieval.sourceRanks.length / pinIds.length
  return {
    ...page,
    pinIds: [pinIds[row]!],
    retrievalScores: retrievalScores.slice(row, row + 1),
    retrieval: {
      ranks: retrieval.ranks.slice(row, row + 1),
      sourceCounts: retrieval.sourceCounts.slice(row, row + 1),
      sourceRanks: retrieval.sourceRanks.slice(row * width, (row + 1) * width),
      sourceScores: retrieval.sourceScores.slice(row * width, (row + 1) * width),
    },
    request: { ...request, foundBy: request.foundBy.slice(row, row + 1) },
  }
}

/** The 32 bits of each number. */
function bits(values: Float32Array): number[] {
  return [...new Int32Array(values.buffer, values.byteOffset, values.length)]
}
