import { nearest } from '@freshet/domain/nearest'
import { planFeatures, type FeaturePlan } from '../features/plan.ts'
import type { ReadCandidates } from '../features/read-candidates.ts'
import { servingInputs, type ServingInput } from '../language/serving-inputs.ts'
import type { Column } from '../plan/column.ts'
import type { Plan, PlanInput } from '../plan/plan.ts'
import { formatType, type ValueType } from '../plan/value-type.ts'
import { factReaders, type PageFacts } from './fact-columns.ts'
import type { RankingPage } from './page.ts'

/** The inputs of a plan as a page has them. */
export interface PageInputs {
  /** The features of the catalogue that the inputs name. */
  readonly features: FeaturePlan
  /** A column for each needed input by its name in the plan, from what was read about the page. */
  columns(page: RankingPage, read: ReadCandidates): ReadonlyMap<string, Column>
}

/** An input of a plan with where it comes from. */
interface Served {
  readonly input: PlanInput
  readonly source: ServingInput
}

/** What serving has, by its name in a spec and, for a feature, by its name in the catalogue. */
const byName = new Map<string, ServingInput>(
  servingInputs.flatMap((input) => [
    [input.name, input] as const,
    ...(input.feature === null ? [] : [[input.feature, input] as const]),
  ]),
)

/**
 * How a page gives the inputs of a plan, each under its name in the ranking language or in the catalogue of features. Inputs that
 * only training knows are left out. `needed`: the inputs whose columns are wanted, null: all. Throws a RangeError that lists every input that serving does not have.
 */
export function pageInputsOf(plan: Plan, needed: ReadonlySet<string> | null = null): PageInputs {
  const served = servedInputs(plan)
  const features = planFeatures([...new Set(served.flatMap(({ source: { feature } }) => feature ?? []))])
  const readers = served
    .filter(({ input: { name } }) => needed === null || needed.has(name))
    .map((each) => [each.input.name, readerOf(each, features)] as const)
  return {
    features,
    columns(page, { features: rows, pins }) {
      const given = { page, pins, rows }
      return new Map(readers.map(([name, read]) => [name, read(given)]))
    },
  }
}

interface ReadPage extends PageFacts {
  /** Rows of features. */
  readonly rows: Float32Array
}

function servedInputs({ inputs, trainingOnly }: Plan): readonly Served[] {
  const problems: string[] = []
  const served = inputs.flatMap((input): Served[] => {
    if (trainingOnly.some((only) => only.input === input.name)) return []
    const source = byName.get(input.name)
    const problem = source === undefined ? unknownInput(input.name) : mismatch(input, source)
    if (problem !== null) problems.push(problem)
    return source === undefined || problem !== null ? [] : [{ input, source }]
  })
  if (problems.length > 0) throw new RangeError(problems.join('; '))
  return served
}

function unknownInput(name: string): string {
  const near = nearest(name, [...byName.keys()])
  return `serving has no input ${JSON.stringify(name)}${near === null ? '' : `; did you mean "${near}"?`}`
}

function mismatch({ name, type, side }: PlanInput, source: ServingInput): string | null {
  if (!factReaders.has(source.name) && source.feature === null) return `only training knows the input ${name}`
  if (!isSameType(type, source.type))
    return `the input ${name} is ${formatType(type)} in the plan and ${formatType(source.type)} in serving`
  if (side === 'request' && source.side === 'candidate')
    return `the input ${name} is the same for all candidates in the plan, but serving has one value per candidate`
  return null
}

/** Sequences may differ in how many elements they keep. */
function isSameType(a: ValueType, b: ValueType): boolean {
  if (a.kind === 'sequence' || b.kind === 'sequence')
    return a.kind === 'sequence' && b.kind === 'sequence' && isSameType(a.of, b.of)
  return formatType(a) === formatType(b)
}

function readerOf({ input, source }: Served, features: FeaturePlan): (given: ReadPage) => Column {
  const isSpread = input.side === 'candidate' && source.side === 'request'
  if (source.feature === null) {
    const read = factReaders.get(source.name)!
    const max = input.type.kind === 'sequence' ? input.type.max : 1
    if (!isSpread) return (given) => read(given, max)
    return (given) => spread(read(given, max), given.page.pinIds.length)
  }
  const from = features.offsetOf(source.feature)
  const width = source.type.kind === 'vector' ? source.type.size : 1
  const isOne = input.side === 'request'
  return ({ rows, page }) => {
    const candidates = isOne ? 1 : page.pinIds.length
    return {
      kind: 'numbers',
      rows: candidates,
      width,
      values: numbersAt(rows, { from, width, stride: features.width, candidates }),
    }
  }
}

function numbersAt(
  rows: Float32Array,
  {
    from,
    width,
    stride,
    candidates,
  }: { readonly from: number; readonly width: number; readonly stride: number; readonly candidates: number },
): Float32Array {
  const values = new Float32Array(candidates * width)
  for (let row = 0; row < candidates; row++)
    for (let at = 0; at < width; at++) values[row * width + at] = rows[row * stride + from + at]!
  return values
}

/** The one category of a request for each candidate. */
function spread(column: Column, candidates: number): Column {
  if (column.kind !== 'categories') throw new TypeError(`a fact of the request is ${column.kind}, not categories`)
  return { ...column, rows: candidates, codes: new Int32Array(candidates).fill(column.codes[0]!) }
}
