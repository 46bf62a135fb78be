import { servingInputs } from '../language/serving-inputs.ts'
import type { Column } from '../plan/column.ts'
import { PlanError } from '../plan/plan-error.ts'
import type { Plan, PlanInput } from '../plan/plan.ts'
import { allRows, noPosition, type RowBatch, type RowsPart } from './row-batch.ts'

/**
 * The inputs of a plan from rows, by name, one row of a column for each row of the parts in order. Numbers have the bits that
 * serving used. A number that a batch did not record is NaN, an unknown text is missing. An input has its serving name
 * (`pin.save_rate`) or, in the plan of a spec in JSON, the name of the catalogue. Throws a PlanError that lists the inputs which no row can have.
 */
export function planColumns(
  { spec, inputs }: Pick<Plan, 'spec' | 'inputs'>,
  parts: readonly RowsPart[],
): ReadonlyMap<string, Column> {
  const picked = parts.map(({ batch, rows }): Picked => ({ batch, rows: rows ?? allRows(batch.rows) }))
  const read = inputs.map((input) => [input, readerOf(input)] as const)
  const unknown = read.filter(([, reader]) => reader === null).map(([{ name }]) => name)
  if (unknown.length > 0) {
    const problems = unknown.map((name) => `input ${name} is not recorded in the rows of served feeds`)
    throw new PlanError('PLAN_INPUT_MISMATCHED', spec, problems)
  }
  return new Map(read.map(([{ name }, reader]) => [name, reader!(picked)]))
}

/** Names of the recorded numbers that a plan reads; of a feature of several numbers `NAME.0`, `NAME.1`, …. */
export function recordedNames({ inputs }: Pick<Plan, 'inputs'>): readonly string[] {
  return inputs.flatMap((input) => {
    const feature = featureOf(input)
    return feature === null ? [] : partNames(feature, widthOf(input))
  })
}

interface Picked {
  readonly batch: RowBatch
  readonly rows: Int32Array
}

type Reader = (parts: readonly Picked[]) => Column

const servingInputOf = new Map(servingInputs.map((input) => [input.name, input]))
const catalogueNames: ReadonlySet<string | null> = new Set(servingInputs.map(({ feature }) => feature))

/** The name in the catalogue of the feature that an input is; null: it is none. */
function featureOf({ name }: PlanInput): string | null {
  return servingInputOf.get(name)?.feature ?? (catalogueNames.has(name) ? name : null)
}

/** Facts that are one text. */
const texts: Readonly<Record<string, (batch: RowBatch) => readonly string[]>> = {
  'user.id': ({ userIds }) => userIds,
  'pin.id': ({ pinIds }) => pinIds,
  'pin.creator': ({ creatorIds }) => creatorIds,
  'request.surface': ({ surfaces }) => surfaces,
  'request.locale': ({ locales }) => locales,
}

/** Facts that are lists of texts. */
const lists: Readonly<Record<string, (batch: RowBatch, row: number) => readonly string[]>> = {
  'pin.topics': ({ topics }, row) => topics[row]!,
  // In the order of their letters, as serving gives them, whatever the order of the batch.
  'candidate.sources': ({ sourceNames, sourceRanks }, row) =>
    sourceNames.filter((_, at) => !Number.isNaN(sourceRanks[row * sourceNames.length + at])).sort(),
}

function readerOf(input: PlanInput): Reader | null {
  const { name, type } = input
  if (name === 'candidate.position' || name === 'position') return readPositions
  const feature = featureOf(input)
  if (feature !== null) return (parts) => readFeature(parts, partNames(feature, widthOf(input)))
  if (Object.hasOwn(texts, name)) return (parts) => readTexts(parts, texts[name]!)
  if (Object.hasOwn(lists, name) && type.kind === 'sequence') return (parts) => readLists(parts, lists[name]!, type.max)
  return null
}

function widthOf({ type }: PlanInput): number {
  return type.kind === 'vector' ? type.size : 1
}

/** Names of the numbers of a feature, as `planFeatures` gives them. */
function partNames(feature: string, width: number): readonly string[] {
  return width === 1 ? [feature] : Array.from({ length: width }, (_, index) => `${feature}.${index}`)
}

function readFeature(parts: readonly Picked[], names: readonly string[]): Column {
  const width = names.length
  const values = new Float32Array(countOf(parts) * width).fill(NaN)
  let at = 0
  for (const { batch, rows } of parts) {
    const { features, featureNames } = batch
    const places = names.map((name) => featureNames.indexOf(name))
    for (const row of rows)
      for (const place of places) values[at++] = place < 0 ? NaN : features[row * featureNames.length + place]!
  }
  return { kind: 'numbers', rows: countOf(parts), width, values }
}

function readPositions(parts: readonly Picked[]): Column {
  const values = new Float32Array(countOf(parts))
  let at = 0
  for (const { batch, rows } of parts)
    for (const row of rows) {
      const position = batch.position[row]!
      values[at++] = position === noPosition ? NaN : position
    }
  return { kind: 'numbers', rows: values.length, width: 1, values }
}

function readTexts(parts: readonly Picked[], of: (batch: RowBatch) => readonly string[]): Column {
  const dictionary = createDictionary()
  const codes = new Int32Array(countOf(parts))
  let at = 0
  for (const { batch, rows } of parts) {
    const column = of(batch)
    for (const row of rows) codes[at++] = dictionary.code(column[row]!)
  }
  return { kind: 'categories', rows: codes.length, codes, names: dictionary.names }
}

function readLists(
  parts: readonly Picked[],
  of: (batch: RowBatch, row: number) => readonly string[],
  max: number,
): Column {
  const dictionary = createDictionary()
  const offsets = new Int32Array(countOf(parts) + 1)
  const codes: number[] = []
  let at = 0
  for (const { batch, rows } of parts)
    for (const row of rows) {
      for (const text of of(batch, row).slice(0, max)) codes.push(dictionary.code(text))
      offsets[++at] = codes.length
    }
  const elements = {
    kind: 'categories',
    rows: codes.length,
    codes: Int32Array.from(codes),
    names: dictionary.names,
  } as const
  return { kind: 'sequences', rows: at, offsets, elements }
}

function countOf(parts: readonly Picked[]): number {
  return parts.reduce((sum, { rows }) => sum + rows.length, 0)
}

/** Gives each text a number; '' is missing. */
function createDictionary(): { readonly names: readonly string[]; code(text: string): number } {
  const names: string[] = []
  const codes = new Map([['', -1]])
  return {
    names,
    code(text) {
      const known = codes.get(text)
      if (known !== undefined) return known
      codes.set(text, names.length)
      return names.push(text) - 1
    },
  }
}
