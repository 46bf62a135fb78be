import { z } from 'zod'
import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { FixedTransform, LearnedTransform, Transform, TypeProblem, WeightShape } from '../transforms/definition.ts'

/** A few transforms, enough for each rule of the language. */
export const testCatalogue: ReadonlyMap<string, Transform> = new Map(
  [
    ...['add', 'subtract', 'multiply', 'divide', 'power', 'less', 'less_equal', 'equal', 'not_equal'].map(arithmetic),
    ...['greater', 'greater_equal', 'and', 'or', 'not', 'negate', 'if', 'min', 'max', 'log1p', 'identity'].map(
      arithmetic,
    ),
    fixed('clip', z.strictObject({ low: z.number(), high: z.number() }), scalars),
    fixed('hash', z.strictObject({ rows: z.int().positive(), hashes: z.int().default(2) }), hashed),
    fixed('cross', z.strictObject({}), () => ({ kind: 'category' })),
    fixed('concat', z.strictObject({}), concat),
    fixed('bucketise', z.strictObject({ boundaries: z.array(z.number()).min(1) }), (_, { boundaries }) => ({
      kind: 'index',
      rows: boundaries.length + 1,
      hashes: 1,
    })),
    learned(
      'embedding',
      z.strictObject({ size: z.int().positive() }),
      ([of], { size }) =>
        of?.kind === 'index' ? { kind: 'vector', size } : { problem: 'needs an index, such as `hash(…)`', arg: 0 },
      ([of], { size }) => [
        { name: 'table', shape: [of?.kind === 'index' ? of.rows : 0, size], initial: 'table', rowsOf: 0 },
      ],
    ),
    learned(
      'linear',
      z.strictObject({ units: z.int().positive().default(1) }),
      (_, { units }) => (units === 1 ? { kind: 'scalar' } : { kind: 'vector', size: units }),
      (args, { units }) => kernelAndBias(args, units),
    ),
    learned(
      'mlp',
      z.strictObject({ hidden: z.tuple([z.int()]) }),
      (_, { hidden: [size] }) => ({ kind: 'vector', size }),
      (args, { hidden: [size] }) => kernelAndBias(args, size),
    ),
  ].map((transform) => [transform.name, transform]),
)

function arithmetic(name: string): Transform {
  return fixed(name, z.strictObject({}), scalars)
}

function scalars(args: readonly ValueType[]): ValueType | TypeProblem {
  const arg = args.findIndex(({ kind }) => kind !== 'scalar' && kind !== 'category')
  return arg === -1 ? { kind: 'scalar' } : { problem: 'needs single numbers', arg }
}

function hashed(_args: readonly ValueType[], { rows, hashes }: { rows: number; hashes: number }): ValueType {
  return { kind: 'index', rows, hashes }
}

function concat(args: readonly ValueType[]): ValueType | TypeProblem {
  const arg = args.findIndex(({ kind }) => kind !== 'scalar' && kind !== 'vector')
  if (arg !== -1) return { problem: 'needs numbers and vectors', arg }
  return { kind: 'vector', size: args.reduce((sum, type) => sum + (type.kind === 'vector' ? type.size : 1), 0) }
}

function kernelAndBias(args: readonly ValueType[], units: number): WeightShape[] {
  const inputs = args.reduce((sum, type) => sum + (type.kind === 'vector' ? type.size : 1), 0)
  return [
    { name: 'kernel', shape: [inputs, units], initial: 'glorot' },
    { name: 'bias', shape: [units], initial: 'zeros' },
  ]
}

function fixed<Params>(name: string, params: z.ZodType<Params>, typeOf: FixedTransform<Params>['typeOf']): Transform {
  const evaluate = ([first]: readonly Column[]): Column => first!
  const made: FixedTransform<Params> = { ...texts(name), gradient: 'fixed', params, typeOf, evaluate }
  return made
}

function learned<Params>(
  name: string,
  params: z.ZodType<Params>,
  typeOf: LearnedTransform<Params>['typeOf'],
  weights: LearnedTransform<Params>['weights'],
): Transform {
  const apply: LearnedTransform['apply'] = ([first]) => first!
  const made: LearnedTransform<Params> = {
    ...texts(name),
    gradient: 'learned',
    params,
    typeOf,
    weights,
    apply,
  }
  return made
}

function texts(name: string) {
  return { name, summary: '', formula: '', example: '' }
}
