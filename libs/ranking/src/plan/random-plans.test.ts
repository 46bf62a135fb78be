import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { checkPlan } from './check-plan.ts'
import type { Column, RowTable } from './column.ts'
import { fitPlan } from './fit-plan.ts'
import { parsePlan } from './parse-plan.ts'
import { PlanError } from './plan-error.ts'
import { canonicalJson, type Plan } from './plan.ts'
import { createProgram, type Program } from './program.ts'
import { randomColumns, randomPlan } from './random-plans.fixture.ts'
import { createStaticColumns } from './static-columns.ts'
import { plainRows, someRows, type Plain } from './testing.ts'
import type { ValueType } from './value-type.ts'

interface Case {
  readonly plan: Plan
  readonly fitted: ReadonlyMap<string, unknown>
  readonly page: ReadonlyMap<string, Column>
  readonly rows: number
}

const seeds = fc.record({ seed: fc.integer(), rows: fc.integer({ min: 1, max: 12 }) })

/** A random plan that is fitted to random rows, and a page of other random rows. */
function aCase({ seed, rows }: { readonly seed: number; readonly rows: number }): Case {
  const random = mulberry32(seed)
  const plan = randomPlan(random, 12)
  const trainingRows = 40
  const inputs = perRow(randomColumns(random, trainingRows), trainingRows)
  const save = Float32Array.from({ length: trainingRows }, () => Math.round(random()))
  const table = { rows: trainingRows, inputs, labels: new Map([['save', save]]), weights: null }
  return { plan, fitted: fittedOrSkipped(plan, table, seed), page: randomColumns(random, rows), rows }
}

/** The statistics; a plan that cannot be fitted, because a number is missing in all rows, is drawn again. */
function fittedOrSkipped(plan: Plan, table: RowTable, seed: number): ReadonlyMap<string, unknown> {
  try {
    return fitPlan(plan, table, { seed, catalogue: transformCatalogue })
  } catch (error) {
    fc.pre(!(error instanceof PlanError && error.code === 'PLAN_UNFITTABLE'))
    throw error
  }
}

/** The same values with a row of its own for each candidate, on the request's side too. */
function perRow(columns: ReadonlyMap<string, Column>, rows: number): ReadonlyMap<string, Column> {
  return new Map([...columns].map(([name, column]) => [name, column.rows === rows ? column : repeated(column, rows)]))
}

/** A column of one row as one of `rows` rows. */
function repeated(column: Column, rows: number): Column {
  switch (column.kind) {
    case 'numbers': {
      const values = new (column.values.constructor as typeof Float32Array)(rows * column.width)
      for (let row = 0; row < rows; row++) values.set(column.values, row * column.width)
      return { ...column, rows, values }
    }
    case 'categories':
      return { ...column, rows, codes: new Int32Array(rows).fill(column.codes[0]!) }
    case 'sequences': {
      const { elements } = column
      const from = new Int32Array(rows * elements.rows).map((_, at) => at % elements.rows)
      return {
        kind: 'sequences',
        rows,
        offsets: new Int32Array(rows + 1).map((_, row) => row * elements.rows),
        elements: chosen(elements, from),
      }
    }
    case 'indices':
      throw new TypeError('an input cannot be an index')
  }
}

function chosen(elements: Extract<Column, { readonly kind: 'sequences' }>['elements'], from: Int32Array) {
  if (elements.kind === 'categories')
    return { ...elements, rows: from.length, codes: from.map((at) => elements.codes[at]!) }
  if (elements.kind === 'indices') throw new TypeError('an input cannot be an index')
  const { width, values } = elements
  const copied = Float32Array.from(
    { length: from.length * width },
    (_, at) => values[from[Math.floor(at / width)]! * width + (at % width)]!,
  )
  return { ...elements, rows: from.length, values: copied }
}

function resultsOf(
  program: Program,
  inputs: ReadonlyMap<string, Column>,
  rows: number,
): Readonly<Record<string, readonly Plain[]>> {
  return Object.fromEntries([...program.run(inputs, rows)].map(([name, column]) => [name, plainRows(column, rows)]))
}

describe('random plans', () => {
  it('give one row at a time the bits that a page has', () => {
    fc.assert(
      fc.property(seeds, (given) => {
        const { plan, fitted, page, rows } = aCase(given)
        const program = createProgram(plan, fitted, transformCatalogue)
        const whole = resultsOf(program, page, rows)
        for (let row = 0; row < rows; row++) {
          const single = new Map(
            [...page].map(([name, column]) => [name, column.rows === 1 ? column : someRows(column, row, row + 1)]),
          )
          const alone = resultsOf(program, single, 1)
          for (const [name, values] of Object.entries(whole)) expect(alone[name], name).toEqual([values[row]])
        }
      }),
      { numRuns: 150 },
    )
  })

  it('give values of the request the same bits once as for each candidate', () => {
    fc.assert(
      fc.property(seeds, (given) => {
        const { plan, fitted, page, rows } = aCase(given)
        const once = resultsOf(createProgram(plan, fitted, transformCatalogue), page, rows)
        const each = resultsOf(createProgram(plan, fitted, transformCatalogue), perRow(page, rows), rows)
        expect(each).toEqual(once)
      }),
      { numRuns: 150 },
    )
  })

  it('give the same bits whatever was computed before in the same buffers', () => {
    fc.assert(
      fc.property(seeds, seeds, (given, other) => {
        const { plan, fitted, page, rows } = aCase(given)
        const fresh = resultsOf(createProgram(plan, fitted, transformCatalogue), page, rows)
        const used = createProgram(plan, fitted, transformCatalogue)
        used.run(randomColumns(mulberry32(other.seed), other.rows), other.rows)
        expect(resultsOf(used, page, rows)).toEqual(fresh)
      }),
    )
  })

  it('are valid, also after they were stored and read', () => {
    fc.assert(
      fc.property(seeds, (given) => {
        const { plan, fitted, page, rows } = aCase(given)
        expect(checkPlan(plan, transformCatalogue).filter((problem) => !problem.startsWith('expose'))).toEqual([])
        const stored = parsePlan(canonicalJson({ ...plan, exposed: [] }), transformCatalogue)
        const loaded = new Map(Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(fitted))) as object))
        const before = resultsOf(createProgram(plan, fitted, transformCatalogue), page, rows)
        const after = createProgram({ ...stored, exposed: plan.exposed }, loaded, transformCatalogue)
        expect(resultsOf(after, page, rows)).toEqual(before)
      }),
    )
  })

  it('compute values of the types that the plan states', () => {
    fc.assert(
      fc.property(seeds, (given) => {
        const { plan, fitted, page, rows } = aCase(given)
        const columns = createProgram(plan, fitted, transformCatalogue).run(page, rows)
        for (const { id, type } of plan.nodes) expectType(columns.get(id)!, type, id)
      }),
    )
  })

  it('give the same bits if static values are kept for each pin', () => {
    fc.assert(
      fc.property(seeds, (given) => {
        const { plan, fitted, page, rows } = aCase(given)
        const isStatic = ({ name }: { readonly name: string }) => ['pin.saves', 'pin.taste', 'pin.name'].includes(name)
        const kept = createStaticColumns(plan, fitted, transformCatalogue, isStatic)
        const pins = Int32Array.from({ length: rows }, (_, row) => 3 * row)
        kept.update(pins, page)
        const program = createProgram(plan, fitted, transformCatalogue, { given: kept.nodes })
        const whole = resultsOf(createProgram(plan, fitted, transformCatalogue), page, rows)
        expect(resultsOf(program, new Map([...page, ...kept.gather(pins)]), rows)).toEqual(whole)
      }),
    )
  })

  it('use every transform', () => {
    const used = new Set(
      Array.from({ length: 300 }, (_, seed) => randomPlan(mulberry32(seed), 12).nodes)
        .flat()
        .map(({ transform }) => transform),
    )
    const onColumns = [...transformCatalogue.values()].filter(({ gradient }) => gradient !== 'learned')
    expect(onColumns.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([])
  })
})

function expectType(column: Column, type: ValueType, id: string): void {
  if (type.kind === 'sequence') {
    if (column.kind !== 'sequences') throw new Error(`${id} is not a sequence`)
    for (let row = 0; row < column.rows; row++)
      expect(column.offsets[row + 1]! - column.offsets[row]!, id).toBeLessThanOrEqual(type.max)
    return expectType(column.elements, type.of, id)
  }
  if (type.kind === 'category') return expect(column.kind, id).toBe('categories')
  if (type.kind === 'index') {
    if (column.kind !== 'indices') throw new Error(`${id} is not an index`)
    expect([column.hashes, column.values.length], id).toEqual([type.hashes, column.rows * type.hashes])
    for (const value of column.values) expect(value >= -1 && value < type.rows, id).toBe(true)
    return
  }
  if (column.kind !== 'numbers') throw new Error(`${id} is not a number`)
  const width = type.kind === 'vector' ? type.size : 1
  expect([column.width, column.values.length], id).toEqual([width, column.rows * width])
}
