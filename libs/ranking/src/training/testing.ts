import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Column, RowTable } from '../plan/column.ts'
import type { Plan, PlanHead, PlanNode, TrainingPlan } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'
import { learnedTransform } from '../transforms/learned/catalogue.ts'

/** A node of a test plan: name, transform, arguments, parameters. */
type NodeText = readonly [id: string, transform: string, args: readonly string[], params?: Record<string, unknown>]

/** A plan of learned transforms over inputs, for tests. */
export function aPlan({
  inputs,
  nodes,
  heads,
  training,
  firstPhase = null,
}: {
  readonly inputs: Readonly<Record<string, ValueType>>
  readonly nodes: readonly NodeText[]
  readonly heads: readonly (Pick<PlanHead, 'name' | 'value'> & Partial<PlanHead>)[]
  readonly training?: Partial<TrainingPlan>
  readonly firstPhase?: Plan['firstPhase']
}): Plan {
  const types = new Map(Object.entries(inputs))
  const compiled = nodes.map(([id, transform, args, given]): PlanNode => {
    const learned = learnedTransform(transform)
    const params = (learned?.params.parse(given ?? {}) ?? {}) as Record<string, unknown>
    const type = learned?.typeOf(
      args.map((arg) => types.get(arg)!),
      params,
    ) ?? { kind: 'scalar' as const }
    if ('problem' in type) throw new TypeError(`${id}: ${type.problem}`)
    types.set(id, type)
    return { id, transform, args, params, type, side: 'candidate' }
  })
  return {
    format: 1,
    spec: 'test',
    inputs: Object.entries(inputs).map(([name, type]) => ({ name, type, side: 'candidate' })),
    nodes: compiled,
    firstPhase,
    heads: heads.map((head) => ({
      kind: 'probability',
      label: head.name,
      lossWeight: 1,
      calibrate: 'none',
      ...head,
    })),
    utility: heads.map(({ name }) => ({ head: name, weight: 1 })),
    exposed: [],
    trainingOnly: [],
    training: { epochs: 5, batchRows: 64, learningRate: 0.01, l2: 0, dropout: 0, patience: 2, ...training },
  }
}

/** Numbers as a column. */
function numbersColumn(values: ArrayLike<number>, width = 1): Extract<Column, { kind: 'numbers' }> {
  return { kind: 'numbers', rows: values.length / width, width, values: Float32Array.from(values) }
}

/** Row numbers of a table as a column. */
function indicesColumn(values: ArrayLike<number>, hashes = 1): Extract<Column, { kind: 'indices' }> {
  return { kind: 'indices', rows: values.length / hashes, hashes, values: Int32Array.from(values) }
}

/** Types of the inputs of `clicks`. */
export const clickInputs = {
  user: { kind: 'index', rows: 6, hashes: 1 },
  pin: { kind: 'index', rows: 8, hashes: 1 },
  rate: { kind: 'scalar' },
} as const satisfies Record<string, ValueType>

/**
 * Invented rows: users of even number like pins of even number and the others those of odd number, and everybody likes pins
 * with a high rate. Labels: `click`, and `dwell` in seconds of those who clicked.
 */
export function clicks(rows: number, seed: number): RowTable {
  const random = mulberry32(seed)
  const users = Int32Array.from({ length: rows }, () => Math.floor(random() * 6))
  const pins = Int32Array.from({ length: rows }, () => Math.floor(random() * 8))
  const rates = Float32Array.from({ length: rows }, () => random())
  const click = Float32Array.from({ length: rows }, (_, row) => {
    const logit = ((users[row]! + pins[row]!) % 2 === 0 ? 2 : -2) + 4 * (rates[row]! - 0.5)
    return random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
  })
  const dwell = click.map((clicked, row) => (clicked === 1 ? 10 + 50 * rates[row]! : NaN))
  return {
    rows,
    inputs: new Map<string, Column>([
      ['user', indicesColumn(users)],
      ['pin', indicesColumn(pins)],
      ['rate', numbersColumn(rates)],
    ]),
    labels: new Map([
      ['click', click],
      ['dwell', dwell],
    ]),
    weights: null,
  }
}
