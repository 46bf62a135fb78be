import { createPredictor } from '../inference/predictor.ts'
import { isNamed } from '../language/plan-text.ts'
import type { Column, RowTable } from '../plan/column.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { learnedNodes } from '../plan/split.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { rowsFrom } from './score-table.ts'
import type { Parameters } from './trained-model.ts'

/** What the named nodes of a plan are for the rows of a table. */
export interface NodeValues {
  /** In the order of the plan. A column has one row where its value is the same for all. */
  readonly columns: ReadonlyMap<string, Column>
  /** Named nodes that cannot be computed without a model, with what they depend on. */
  readonly needModel: readonly { readonly name: string; readonly because: 'fitted' | 'learned' }[]
}

/**
 * Computes the named nodes of a plan, by the code that trains and serves it. `parameters`: null, there is no model. Learned
 * sequences are left out, because they have no column. A training-only input that the table leaves out has its serving value.
 */
export function nodeValues(
  plan: Plan,
  parameters: Parameters | null,
  table: Pick<RowTable, 'rows' | 'inputs'>,
): NodeValues {
  const learned = learnedNodes(plan, transformCatalogue)
  const fitted = parameters === null ? fittedNodes(plan) : new Set<string>()
  const named = plan.nodes.filter(isNamed)
  const fixed = named.filter(({ id }) => !learned.has(id) && !fitted.has(id))
  const results = fixed.map(({ id }) => id)
  const program = createProgram(plan, parameters?.fitted ?? new Map<string, unknown>(), transformCatalogue, { results })
  const columns = new Map(program.run(table.inputs, table.rows))
  const rest = named.filter(({ id, type }) => learned.has(id) && type.kind !== 'sequence')
  if (parameters !== null && rest.length > 0)
    for (const [name, column] of learnedColumns(plan, parameters, rest, table)) columns.set(name, column)
  return {
    columns: new Map(named.flatMap(({ id }) => (columns.has(id) ? [[id, columns.get(id)!]] : []))),
    needModel:
      parameters !== null
        ? []
        : named
            .filter(({ id }) => learned.has(id) || fitted.has(id))
            .map(({ id }) => ({ name: id, because: learned.has(id) ? 'learned' : 'fitted' })),
  }
}

/** The fitted nodes and all that read one. */
function fittedNodes({ nodes }: Plan): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { id, transform, args } of nodes)
    if (transformCatalogue.get(transform)?.gradient === 'fitted' || args.some((arg) => found.has(arg))) found.add(id)
  return found
}

/** Columns of learned nodes: one pass of the plan's tensors that gives these nodes instead of the heads. */
function learnedColumns(
  plan: Plan,
  { weights, fitted }: Parameters,
  nodes: readonly PlanNode[],
  { rows, inputs }: Pick<RowTable, 'rows' | 'inputs'>,
): ReadonlyMap<string, Column> {
  const program = compileTensorProgram(
    plan,
    nodes.map(({ id }) => id),
  )
  const results = [...program.reads.keys()]
  const columns = createProgram(plan, fitted, transformCatalogue, { results }).run(inputs, rows)
  const predictor = createPredictor(program, weights)
  const values = predictor.predict(columns, rowsFrom(0, rows))
  predictor.dispose()
  const widths = nodes.map(({ type }) => (type.kind === 'vector' ? type.size : 1))
  const all = widths.reduce((sum, width) => sum + width, 0)
  let first = 0
  return new Map(
    nodes.map(({ id }, at) => {
      const width = widths[at]!
      const own = Float32Array.from({ length: rows * width }, (_, place) => {
        const row = Math.floor(place / width)
        return values[row * all + first + (place % width)]!
      })
      first += width
      return [id, { kind: 'numbers', rows, width, values: own }]
    }),
  )
}
