import { describe, expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import type { Column } from './column.ts'
import { fitPlan } from './fit-plan.ts'
import type { Plan, PlanNode } from './plan.ts'
import { PlanError } from './plan-error.ts'
import { createProgram } from './program.ts'
import { aPlan } from './plan.builders.ts'
import { categories, numbers, plainRows } from './testing.ts'

const scalar = { kind: 'scalar' } as const
const node = (id: string, transform: string, args: readonly string[], params: object = {}): PlanNode => ({
  id,
  transform,
  args,
  params: params as PlanNode['params'],
  type: scalar,
  side: args.some((arg) => arg.startsWith('pin') || arg.startsWith('rate')) ? 'candidate' : 'request',
})

const plan: Plan = aPlan({
  inputs: [
    { name: 'user.tempo', type: scalar, side: 'request' },
    { name: 'pin.saves', type: scalar, side: 'candidate' },
    { name: 'pin.creator', type: { kind: 'category' }, side: 'candidate' },
    { name: 'candidate.position', type: scalar, side: 'candidate' },
    { name: 'pin.unused', type: scalar, side: 'candidate' },
  ],
  nodes: [
    node('pace', 'log1p', ['user.tempo']),
    node('rate', 'target_rate', ['pin.creator'], { label: 'save', strength: 1 }),
    node('rate_scaled', 'standardise', ['rate']),
    node('unused', 'log1p', ['pin.unused']),
    node('together', 'add', ['rate_scaled', 'pace']),
    node('with_saves', 'multiply', ['together', 'pin.saves']),
    node('placed', 'add', ['with_saves', 'candidate.position']),
  ],
  heads: [{ name: 'save', kind: 'probability', label: 'save', value: 'placed', lossWeight: 1, calibrate: 'none' }],
  exposed: ['pace', 'pin.saves'],
  trainingOnly: [{ input: 'candidate.position', servingValue: 3 }],
})

const training = new Map<string, Column>([
  ['user.tempo', numbers([0, 1, 2, 3])],
  ['pin.saves', numbers([1, 1, 2, 2])],
  ['pin.creator', categories(['a', 'a', 'b', 'b'])],
  ['candidate.position', numbers([0, 1, 0, 1])],
])
const table = { rows: 4, inputs: training, labels: new Map([['save', Float32Array.of(1, 1, 0, 0)]]), weights: null }
const fitted = fitPlan(plan, table, { seed: 1, catalogue: transformCatalogue })

const page = (saves: readonly number[]): ReadonlyMap<string, Column> =>
  new Map([
    ['user.tempo', numbers([1])],
    ['pin.saves', numbers(saves)],
    ['pin.creator', categories(saves.map(() => 'a'))],
  ])

function errorOf(work: () => unknown): PlanError {
  try {
    work()
  } catch (error) {
    if (error instanceof PlanError) return error
    throw error
  }
  throw new Error('no error')
}

describe('a program', () => {
  it('computes what heads and exposed values need, and no more', () => {
    const program = createProgram(plan, fitted, transformCatalogue)
    expect(program.results).toEqual(['pin.saves', 'pace', 'placed'])
    expect(program.inputs.map(({ name }) => name)).not.toContain('pin.unused')
    const results = program.run(page([1, 2]), 2)
    expect(plainRows(results.get('pace')!)).toEqual([Math.fround(Math.log(2))])
    const { rates } = fitted.get('rate') as { readonly rates: readonly [number] }
    const { means, deviations } = fitted.get('rate_scaled') as Record<'means' | 'deviations', readonly [number]>
    const scaled = (rates[0] - means[0]) / deviations[0]
    // 3 is the position when serving.
    const [first, second] = plainRows(results.get('placed')!) as readonly number[]
    expect(first).toBeCloseTo(scaled + Math.log(2) + 3, 5)
    expect(second).toBeCloseTo(2 * (scaled + Math.log(2)) + 3, 5)
  })

  it('takes an input that only training knows if it is given', () => {
    const { results, run } = createProgram(plan, fitted, transformCatalogue)
    const placed = run(training, 4).get('placed')!
    expect(results).toContain('placed')
    expect(placed.rows).toBe(4)
  })

  it('computes other results if they are named', () => {
    const program = createProgram(plan, new Map(), transformCatalogue, { results: ['pace'] })
    expect(program.inputs.map(({ name }) => name)).toEqual(['user.tempo'])
    expect([...program.run(page([1]), 1).keys()]).toEqual(['pace'])
  })

  it('computes an empty page', () => {
    expect(createProgram(plan, fitted, transformCatalogue).run(page([]), 0).get('placed')).toMatchObject({ rows: 0 })
  })

  it('lists all problems of its inputs', () => {
    const { run } = createProgram(plan, fitted, transformCatalogue)
    const inputs = new Map([...page([1, 2]), ['pin.creator', numbers([1, 2])], ['user.tempo', numbers([1, 2, 3])]])
    const error = errorOf(() => run(inputs, 2))
    expect(error.code).toBe('PLAN_INPUT_MISMATCHED')
    expect(error.problems).toEqual([
      'input user.tempo has 3 rows; give 1 or 2',
      'input pin.creator is category in the plan; the column given has 1 numbers a row',
    ])
    expect(errorOf(() => run(new Map(), 2)).message).toContain('input user.tempo is missing; give a column of scalar')
  })

  it('refuses statistics that are missing or of another plan', () => {
    const other = new Map<string, unknown>([
      ['rate', { mean: 'x', names: [], rates: [] }],
      ['rate_scaled', { means: [1, 2], deviations: [1, 1] }],
    ])
    const error = errorOf(() => createProgram(plan, other, transformCatalogue))
    expect(error.code).toBe('PLAN_STATISTICS_MISMATCHED')
    expect(error.problems).toEqual([
      'the statistics rate.mean of target_rate are not valid: Invalid input: expected number, received string',
      'the statistics of rate_scaled (standardise) have 2 means and 2 deviations; its argument has 1 numbers',
    ])
    expect(errorOf(() => createProgram(plan, new Map(), transformCatalogue)).problems[0]).toBe(
      'rate (target_rate) has no statistics; fit the plan',
    )
  })
})

describe('fitting a plan', () => {
  it('lists inputs and labels that the rows lack', () => {
    const inputs = new Map([['pin.creator', categories(['a', 'b'])]])
    const labels = new Map([['click', Float32Array.of(1, 0)]])
    const error = errorOf(() =>
      fitPlan(plan, { rows: 1, inputs, labels, weights: null }, { seed: 1, catalogue: transformCatalogue }),
    )
    expect(error.problems).toEqual([
      'input pin.creator has 2 rows; give 1',
      'rate reads the label save, which the rows do not have; they have click',
    ])
  })

  it('names the node whose statistics cannot be computed', () => {
    const likely = node('likely', 'platt', ['pin.saves'], { label: 'save' })
    const inputs = new Map([['pin.saves', numbers([null, null])]])
    const labels = new Map([['save', Float32Array.of(1, 0)]])
    const error = errorOf(() =>
      fitPlan(
        { ...plan, nodes: [likely] },
        { rows: 2, inputs, labels, weights: null },
        { seed: 1, catalogue: transformCatalogue },
      ),
    )
    expect(error.code).toBe('PLAN_UNFITTABLE')
    expect(error.problems).toEqual([
      'likely (platt) cannot be fitted: the labelled rows cannot be used: there are no rows',
    ])
  })
})
