import { mulberry32 } from '@freshet/domain/mulberry32'
import { encodeArtefact, sha256 } from '../artefact/bytes.ts'
import { anArtefact } from '../artefact/testing.ts'
import { compileSpec } from '../language/compile.ts'
import { servingInputs } from '../language/serving-inputs.ts'
import type { TrainedModel, Weights } from '../model/trained-model.ts'
import type { Column, RowTable } from '../plan/column.ts'
import { fitPlan } from '../plan/fit-plan.ts'
import { hashOfPlan, type Plan } from '../plan/plan.ts'
import { categorySequences, categoryColumn } from './fact-columns.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { initialWeights } from '../training/initial-weights.ts'

/** A linear spec in the ranking language; `weight` of clicks in its utility. */
export function linearSpecText(name: string, weight = 1): string {
  return `spec ${name}
input candidate.retrieval_score, candidate.topic_affinity, pin.age, user.click_rate, candidate.position
training only candidate.position = 0
feature age = standardise(log1p(pin.age))
head click: probability = linear(candidate.retrieval_score, candidate.topic_affinity, age, user.click_rate, candidate.position)
utility = ${weight} * click
`
}

/** A DCN over numbers and facts, with a calibrated head and an amount. */
export const deepSpecText = `spec deep
input candidate.retrieval_score, pin.age, pin.creator, pin.topics, user.id, request.locale, candidate.sources
layer taste = embedding(hash(user.id, rows: 64), hash(pin.creator, rows: 64), hash(request.locale, rows: 16), size: 4)
layer about = embedding(hash(pin.topics, rows: 64), size: 4)
layer found = embedding(hash(candidate.sources, rows: 16), size: 4)
layer trunk = dcn_v2(concat(taste, about, found, candidate.retrieval_score, log1p(pin.age)), cross: 1, hidden: [8])
head click: probability = linear(trunk), calibrate: platt
head dwell: amount = linear(trunk), label: dwellSeconds
utility = 2 * click + 0.1 * dwell
`

/** The plan of a spec in the ranking language that reads what serving has. */
export function planOfText(text: string): Plan {
  const readFile = (path: string): never => {
    throw new Error(`${path} is not there`)
  }
  return compileSpec(text, { file: 'test.rank', catalogue: transformCatalogue, inputs: servingInputs, readFile }).plan
}

/** A model of a plan with random weights, and statistics of random rows. */
export function randomModel(plan: Plan, seed: number): TrainedModel {
  const random = mulberry32(seed)
  const draw = ({ shape, values }: Weights): Weights => ({ shape, values: values.map(() => random() - 0.5) })
  const weights = [...initialWeights(compileTensorProgram(plan).weights, seed)].map(
    ([name, weight]) => [name, draw(weight)] as const,
  )
  const fitted = new Map(fitPlan(plan, randomTable(plan, random), { seed: seed, catalogue: transformCatalogue }))
  for (const { name, calibrate } of plan.heads)
    if (calibrate === 'platt') fitted.set(`head:${name}`, { slope: 0.5 + random(), intercept: random() })
  return { plan, parameters: { weights: new Map(weights), fitted } }
}

const tableRows = 40

function randomTable({ inputs, heads }: Plan, random: () => number): RowTable {
  const labels = new Map(
    heads.map(({ label }) => [label, Float32Array.from({ length: tableRows }, () => Math.round(random()))]),
  )
  const many = <Value>(draw: () => Value): Value[] => Array.from({ length: tableRows }, draw)
  const word = (): string => 'abcd'[Math.floor(4 * random())]!
  const column = ({ type }: Plan['inputs'][number]): Column => {
    if (type.kind === 'category') return categoryColumn(many(word))
    if (type.kind === 'sequence')
      return categorySequences(
        many(() => [word(), word()]),
        type.max,
      )
    return { kind: 'numbers', rows: tableRows, width: 1, values: Float32Array.from(many(random)) }
  }
  return { rows: tableRows, inputs: new Map(inputs.map((input) => [input.name, column(input)])), labels, weights: null }
}

/** The bytes of an artefact of a model, and what a registry says about it. */
export function artefactOf(model: TrainedModel, version: string) {
  const planHash = hashOfPlan(model.plan)
  const bytes = encodeArtefact({ manifest: { ...anArtefact().manifest, version, planHash }, model })
  return { bytes, record: { surface: 'home', version, planHash, sha256: sha256(bytes) } }
}
