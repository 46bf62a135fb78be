import { z } from 'zod'
import { fieldsOf, nearFields, proposeColumns } from '../../../import/fields.ts'
import type { Mapping, Target } from '../../../import/mapping.ts'
import { sampleFile, type Sample } from '../../../import/open-file.ts'
import { parseOptions } from '../../../import/options.ts'
import { firstRows, planFile, type FilePlan, type PlanOptions } from '../../../import/plan.ts'
import { ImportError } from '../../../import/problem.ts'
import type { Row } from '../../../import/rows.ts'
import { parseMap } from '../../../import/rules.ts'
import { detectShape, type Shape } from '../../../import/shape.ts'
import { plainText } from '../../../import/convert.ts'

const text = z.string().max(2_000)

/** How the page wants a file to be read. Empty texts mean: detect it. */
export const readingSchema = z.strictObject({
  as: z.enum(['engagements', 'pins']).optional(),
  /** Field by column; null: ignore the column. */
  mapped: z.record(text, z.string().max(100).nullable()).default({}),
  /** Rules for actions, in the syntax of `--map`. */
  rules: text.optional(),
  timeUnit: text.optional(),
  occurredAt: text.optional(),
  delimiter: text.optional(),
  quote: text.optional(),
  /** Names of the columns of a file without a header, separated by commas. */
  columns: text.optional(),
  listSeparator: text.optional(),
  encoding: text.optional(),
})

/** Options of the page. */
export type Reading = z.output<typeof readingSchema>

/** A column as the page shows it. */
interface ColumnJson {
  readonly name: string
  /** The field that it fills; null: none. */
  readonly field: string | null
  /** A field that it may be meant for; null: none. */
  readonly hint: string | null
  readonly samples: readonly string[]
}

/** How a file would be read, or why it cannot be read so. */
export interface PlanJson {
  readonly format: string | null
  readonly details: {
    readonly fileBytes: number
    readonly gzipped: boolean
    readonly encoding: string
    readonly delimiter: string | null
  } | null
  readonly as: Target | null
  readonly columns: readonly ColumnJson[]
  /** The fields that columns can fill. */
  readonly fields: readonly string[]
  readonly rules: string
  readonly times: string | null
  readonly occurredAt: string | null
  readonly listSeparator: string | null
  /** The first lines of the file as they are. */
  readonly head: readonly string[]
  /** What becomes of the first rows: an event, a problem, or nothing because a rule skips the row. */
  readonly first: readonly { readonly line: number; readonly event?: unknown; readonly problem?: string }[]
  /** null: the import can begin. */
  readonly problem: string | null
  /** The same import on the command line. */
  readonly command: string
}

const shownRows = 5
const shownLines = 4
const maxColumns = 200

/** Plans a file as the command does, and describes the plan for the page. `name`: of the file for the command line. */
export async function describePlan(
  path: string,
  name: string,
  { reading, nowMs }: { readonly reading: Reading; readonly nowMs: number },
): Promise<PlanJson> {
  const base: PlanJson = {
    ...{ format: null, details: null, as: reading.as ?? null, columns: [], fields: [], rules: '', times: null },
    ...{ occurredAt: null, listSeparator: null, head: [], first: [], problem: null },
    command: commandOf(name, reading),
  }
  const known: { plan: PlanJson } = { plan: base }
  try {
    const options = optionsOf(reading, nowMs)
    const sample = await sampleFile(path, options.encoding)
    known.plan = { ...base, ...aboutSample(sample) }
    const shape = detectShape(sample, options)
    known.plan = { ...known.plan, ...aboutShape(shape) }
    if (shape.kind !== 'recording') {
      const rows = await firstRows(sample, shape, shownRows)
      const mapping = proposeColumns(shape.columns, mappingOptions(options))
      // Until the page says what rows are, a column may become any field: a column that is the user makes them engagements.
      const all = [...new Set([...fieldsOf.engagements, ...fieldsOf.pins])]
      const fields = reading.as === undefined && mapping.as === 'pins' ? all : fieldsOf[mapping.as]
      known.plan = { ...known.plan, ...aboutColumns(mapping, shape.columns, rows), fields }
      const plan = await planFile(path, options)
      // What only the values of a column tell.
      if (plan.kind === 'rows')
        known.plan = { ...known.plan, ...aboutColumns(plan.reading.mapping, shape.columns, rows) }
      return { ...known.plan, ...(await aboutPlan(plan)) }
    }
    return known.plan
  } catch (error) {
    if (!(error instanceof ImportError)) throw error
    return { ...known.plan, problem: error.message.replace(`${path}: `, '') }
  }
}

/** The options of the page as those of the command. Throws an ImportError. */
export function optionsOf(reading: Reading, nowMs: number): PlanOptions {
  const { mapped, rules = '', ...texts } = reading
  const given = Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== ''))
  return {
    ...parseOptions(given, nowMs),
    // Names of columns may have commas and equals signs, which the text of `--map` cannot have.
    map: { mapped: new Map(Object.entries(mapped)), rules: parseMap([rules]).rules },
  }
}

function mappingOptions({ as, map }: PlanOptions) {
  return { as, mapped: map.mapped, inRules: new Set(map.rules.map(({ column }) => column)) }
}

function aboutSample({ fileBytes, gzipped, encoding, text }: Sample): Pick<PlanJson, 'details' | 'head'> {
  const lines = text.split(/\r\n|\n|\r/, shownLines)
  return {
    details: { fileBytes, gzipped, encoding, delimiter: null },
    head: lines.map((each) => (each.length > 300 ? `${each.slice(0, 300)}…` : each)),
  }
}

function aboutShape(shape: Shape): Partial<PlanJson> {
  return { format: shape.kind === 'table' ? `${shape.name}${shape.header ? '' : ', no header'}` : shape.name }
}

function aboutColumns(mapping: Mapping, columns: readonly string[], rows: readonly Row[]): Partial<PlanJson> {
  const hints = nearFields(mapping)
  return {
    as: mapping.as,
    columns: columns.slice(0, maxColumns).map((name, at) => ({
      name,
      field: mapping.fields.find(({ column }) => column === at)?.field ?? null,
      hint: hints.get(name) ?? null,
      samples: rows.flatMap((row) => ('cells' in row ? [shortened(plainText(row.cells[at]))] : [])),
    })),
  }
}

async function aboutPlan(plan: FilePlan): Promise<Partial<PlanJson>> {
  if (plan.kind === 'recording') return {}
  const { rules, times, occurredAt, listSeparator } = plan.reading
  const rows = await firstRows(plan.sample, plan.shape, shownRows)
  return {
    ...{ rules, times, occurredAt, listSeparator },
    first: rows.map((row) => {
      const converted = plan.convert(row)
      if ('event' in converted) return { line: row.line, event: converted.event }
      return 'code' in converted
        ? { line: row.line, problem: `${converted.code}: ${converted.message}` }
        : { line: row.line }
    }),
  }
}

function shortened(cell: string): string {
  return cell.length > 80 ? `${cell.slice(0, 80)}…` : cell
}

function commandOf(name: string, { mapped, rules = '', ...options }: Reading): string {
  const maps = [
    ...Object.entries(mapped).map(([column, field]) => `${column}=${field ?? '-'}`),
    ...(rules === '' ? [] : [rules]),
  ]
  const flags = Object.entries(options).flatMap(([option, value]) =>
    value === ''
      ? []
      : [`--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${quoted(String(value))}`],
  )
  return ['npx freshet import', quoted(name), ...flags, ...maps.map((map) => `--map ${quoted(map)}`)].join(' ')
}

function quoted(argument: string): string {
  return /^[\w./:-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}
