import type { Expression } from '../language/ast.ts'
import { parseLanguage } from '../language/parse.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import type { Transform } from '../transforms/definition.ts'
import type { Column } from './column.ts'
import { aPlan } from './plan.builders.ts'
import type { Plan, PlanInput, PlanNode } from './plan.ts'
import { categories, numbers, sequences, times, vectors } from './testing.ts'
import type { ValueType } from './value-type.ts'

type Random = () => number

const scalar = { kind: 'scalar' } as const
const category = { kind: 'category' } as const
const vector = { kind: 'vector', size: 3 } as const
const types = {
  tempo: scalar,
  saves: scalar,
  at: scalar,
  taste: vector,
  name: category,
  topics: { kind: 'sequence', of: category, max: 4 },
  dwells: { kind: 'sequence', of: scalar, max: 4 },
  embeddings: { kind: 'sequence', of: vector, max: 4 },
} as const satisfies Record<string, ValueType>

/** Inputs of every type on both sides. */
const randomInputs: readonly PlanInput[] = (['request', 'candidate'] as const).flatMap((side) =>
  Object.entries(types).map(([name, type]) => ({ name: `${side === 'request' ? 'user' : 'pin'}.${name}`, type, side })),
)

/** Parameters to try, for transforms of which one set is not enough; the others have those of their example. */
const paramsOf: Readonly<Record<string, readonly object[]>> = {
  constant: [{ value: 0.3 }, { value: 0 }, { value: 'b' }],
  clip: [{ low: -1, high: 1 }, { low: 0 }],
  bucketise: [{ boundaries: [-1, 0, 2.5] }],
  hash: [{ rows: 7 }, { rows: 1_000, hashes: 1 }],
  one_hot: [{ values: ['a', '1'] }],
  lookup: [{ table: { a: 1, c: -2 }, default: 0.5 }, { table: { b: [1, 2, 3] } }],
  hash_text: [{ rows: 50, words: 2 }],
  hash_topics: [{ rows: 50, topics: 3 }],
  pool: ['mean', 'sum', 'max', 'last'].map((by) => ({ by })),
  quantiles: [{ buckets: 3 }],
  vocabulary: [{ max: 2 }],
  target_rate: [{ label: 'save' }],
  platt: [{ label: 'save' }],
  isotonic: [{ label: 'save' }],
  forest: [{ label: 'save', trees: 3, leaves: 3 }],
  semantic_ids: [{ levels: 2, codes: 3 }],
}

const candidates = [...transformCatalogue.values()].filter(({ gradient }) => gradient !== 'learned')

/** A plan of `size` nodes drawn from all transforms on columns; everything that is a result is exposed. */
export function randomPlan(random: Random, size: number, inputs: readonly PlanInput[] = randomInputs): Plan {
  const known = new Map(inputs.map(({ name, type, side }) => [name, { type, side }]))
  const nodes: PlanNode[] = []
  for (let attempt = 0; nodes.length < size && attempt < 60 * size; attempt++) {
    const node = randomNode(random, `n${nodes.length}`, known)
    if (node === null) continue
    nodes.push(node)
    known.set(node.id, node)
  }
  return aPlan({ inputs, nodes, exposed: nodes.map(({ id }) => id) })
}

function randomNode(
  random: Random,
  id: string,
  known: ReadonlyMap<string, Pick<PlanNode, 'type' | 'side'>>,
): PlanNode | null {
  const transform: Transform = pick(random, candidates)
  const params = transform.params.parse(
    pick(random, paramsOf[transform.name] ?? [paramsOfExample(transform)]),
  ) as PlanNode['params']
  const names = [...known.keys()]
  const args = Array.from({ length: transform.name === 'constant' ? 0 : 1 + Math.floor(3 * random()) }, () =>
    pick(random, names),
  )
  const given = args.map((arg) => known.get(arg)!)
  const type = transform.typeOf(
    given.map((arg) => arg.type),
    params,
  )
  if ('problem' in type) return null
  const side = given.some((arg) => arg.side === 'candidate') ? 'candidate' : 'request'
  return { id, transform: transform.name, args, params, type, side }
}

/** The parameters in the example of a transform. */
function paramsOfExample({ name, example }: Transform): object {
  const [statement] = parseLanguage(example, 'example').statements
  const call = statement !== undefined && 'value' in statement ? callOf(name, statement.value) : null
  return Object.fromEntries((call?.params ?? []).map((param) => [param.name, literal(param.value)]))
}

/** The call of a transform in a formula; null: the formula has another notation for it. */
function callOf(name: string, formula: Expression): Extract<Expression, { kind: 'call' }> | null {
  if (formula.kind !== 'call') return null
  if (formula.callee === name) return formula
  return formula.args.map((arg) => callOf(name, arg)).find((found) => found !== null) ?? null
}

function literal(value: Expression): unknown {
  if (value.kind === 'list') return value.items.map(literal)
  if (value.kind === 'unary') return -Number(literal(value.operand))
  return value.kind === 'name' ? value.name : 'value' in value ? value.value : null
}

/** Values for the inputs: one row on the request's side, `rows` rows on the candidate's; some values are missing. */
export function randomColumns(random: Random, rows: number): ReadonlyMap<string, Column> {
  return new Map(
    randomInputs.map(({ name, type, side }) => [name, randomColumn(random, name, type, side === 'request' ? 1 : rows)]),
  )
}

function randomColumn(random: Random, name: string, type: ValueType, rows: number): Column {
  const many = <T>(length: number, draw: () => T): T[] => Array.from({ length }, draw)
  const number = (): number | null => (random() < 0.1 ? null : random() < 0.1 ? 0 : 10 * random() - 4)
  const word = (): string | null => (random() < 0.1 ? null : pick(random, ['a', 'b', 'c', 'Two words']))
  const length = (): number => Math.floor(5 * random())
  if (name.endsWith('.at')) return times(many(rows, () => 1_770_000_000_000 + Math.floor(1e8 * random())))
  if (type.kind === 'scalar') return numbers(many(rows, number))
  if (type.kind === 'vector') return vectors(many(rows, () => many(3, number)))
  if (type.kind === 'category') return categories(many(rows, word))
  if (type.kind !== 'sequence') throw new TypeError(`no values for ${type.kind}`)
  if (type.of.kind === 'category')
    return sequences(
      many(rows, () => many(length(), word)),
      categories,
    )
  if (type.of.kind === 'scalar')
    return sequences(
      many(rows, () => many(length(), number)),
      numbers,
    )
  return withWidth(
    sequences(
      many(rows, () => many(length(), () => many(3, number))),
      vectors,
    ),
  )
}

/** Sequences without an element have vectors of three numbers too. */
function withWidth(column: Column): Column {
  if (column.kind !== 'sequences' || column.elements.kind !== 'numbers' || column.elements.rows > 0) return column
  return { ...column, elements: { ...column.elements, width: 3 } }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}
