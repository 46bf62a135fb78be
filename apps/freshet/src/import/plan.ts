import { createConverter, plainText, type Conversion, type Converted } from './convert.ts'
import { isTimeField, mapColumns, nearFields } from './fields.ts'
import type { Mapping, Target } from './mapping.ts'
import { guessFields } from './guess.ts'
import { sampleFile, type Encoding, type Sample } from './open-file.ts'
import { ImportError } from './problem.ts'
import { readRows, type Row } from './rows.ts'
import { ratingRules, shownRule, type MapOption, type Rule } from './rules.ts'
import { detectShape, type Shape, type ShapeOptions } from './shape.ts'
import { timeReader, type TimeReader, type TimeUnit } from './times.ts'

/** Options of the command line about reading files. */
export interface PlanOptions extends ShapeOptions {
  readonly as: Target | null
  readonly map: MapOption
  readonly timeUnit: TimeUnit | null
  /** The time of rows without a time, RFC 3339. */
  readonly occurredAt: string | null
  readonly listSeparator: string | null
  readonly encoding: Encoding | null
  readonly nowMs: number
}

/** How the import reads a file. It detects this from the beginning of the file and prints it before it writes anything. */
export type FilePlan =
  | { readonly kind: 'recording'; readonly sample: Sample; readonly lines: readonly string[] }
  | {
      readonly kind: 'rows'
      readonly sample: Sample
      readonly shape: Exclude<Shape, { kind: 'recording' }>
      readonly as: Target
      readonly convert: (row: Row) => Converted
      readonly reading: RowReading
      /** What the import detected, for the user. */
      readonly lines: readonly string[]
    }

/** How the cells of a file become fields. */
export interface RowReading {
  readonly mapping: Mapping
  /** Columns that fill no field although their name resembles one, with that field. */
  readonly hints: ReadonlyMap<string, string>
  /** In the syntax of `--map`; empty: rows have their action, or are pins. */
  readonly rules: string
  /** How times are read, for the user; null: no column is a time. */
  readonly times: string | null
  /** The time of rows without a time, RFC 3339; null: each row must have one. */
  readonly occurredAt: string | null
  readonly listSeparator: string
}

const sampleRows = 5_000

/** Decides how to read a file. Throws an ImportError if the user must give an option first. */
export async function planFile(file: string, options: PlanOptions): Promise<FilePlan> {
  const sample = await sampleFile(file, options.encoding)
  const shape = detectShape(sample, options)
  const details = [
    sample.gzipped ? 'gzip' : '',
    sample.encoding === 'latin1' ? 'Latin-1' : '',
    `${(sample.fileBytes / 1e6).toFixed(1)} MB`,
  ]
  const head = `${file}: ${shape.name}, ${details.filter((detail) => detail !== '').join(', ')}`
  if (shape.kind === 'recording') {
    return { kind: 'recording', sample, lines: [`${head}; pins and engagements keep their ids and times`] }
  }
  const { rules: ruled, mapped } = options.map
  const given = { as: options.as, mapped, inRules: new Set(ruled.map(({ column }) => column)) }
  // Read before the columns are known, because some are known only by what they hold; without rows, the error is of them.
  const reading = firstRows(sample, shape)
  const rows = await reading.catch(() => [])
  const sampleOf = (column: number): unknown[] => rows.flatMap((row) => ('cells' in row ? [row.cells[column]] : []))
  const reasons = new Map<string, string>()
  const mapping = mapColumns(file, shape.columns, given, (named) => {
    const { nowMs, occurredAt } = options
    const guesses = guessFields(named, shape.columns, { sampleOf, nowMs, hasTime: occurredAt !== null })
    for (const { name, why } of guesses) reasons.set(name, why)
    return guesses
  })
  await reading
  const lines = [`${head}; ${mapping.as}`]
  for (const { field, name } of mapping.fields) {
    const why = reasons.get(name)
    lines.push(`  ${name} → ${field}${why === undefined ? '' : ` (${why}; --map ${name}=- changes this)`}`)
  }
  const hints = nearFields(mapping)
  if (mapping.unused.length > 0) {
    const named = mapping.unused.map((name) => {
      const hint = hints.get(name)
      return hint === undefined ? name : `${name} (did you mean ${hint}? --map ${name}=${hint})`
    })
    lines.push(`  ${shape.kind === 'json' ? 'unknown, rows with them are refused' : 'not used'}: ${named.join(', ')}`)
  }
  const time = chooseTimeReader(file, shape, mapping, options, sampleOf)
  if (time !== null) lines.push(`  times: ${time.note}`)
  const occurredAt = chooseOccurredAt(file, mapping.as, time, shape.columns, options)
  if (occurredAt !== null) lines.push(`  ${time === null ? 'all rows' : 'rows without a time'}: ${occurredAt}`)
  const { rules, scale, notes } = chooseRules(file, mapping, ruled, sampleOf)
  lines.push(...notes)
  const listSeparator = options.listSeparator ?? detectSeparator(mapping, sampleOf)
  if (mapping.fields.some(({ field }) => field === 'topics') && shape.kind === 'table')
    lines.push(`  topics are separated by ${JSON.stringify(listSeparator)}; --list-separator changes this`)
  const conversion: Conversion = {
    mapping,
    rules,
    scale,
    time,
    occurredAt,
    columns: shape.columns,
    strict: shape.kind === 'json',
    listSeparator,
  }
  return {
    kind: 'rows',
    sample,
    shape,
    as: mapping.as,
    convert: createConverter(withoutIgnored(conversion, mapped)),
    reading: {
      ...{ mapping, hints, occurredAt, listSeparator },
      rules: rules.map(shownRule).join(', '),
      times: time?.note ?? null,
    },
    lines,
  }
}

/** Excludes columns with `--map COLUMN=-` from the unknown fields that JSON lines refuse. */
function withoutIgnored(conversion: Conversion, mapped: ReadonlyMap<string, string | null>): Conversion {
  const unused = conversion.mapping.unused.filter((name) => mapped.get(name) !== null)
  return { ...conversion, mapping: { ...conversion.mapping, unused } }
}

/** The first rows of a file. Throws an ImportError if there is none. */
export async function firstRows(
  sample: Sample,
  shape: Exclude<Shape, { kind: 'recording' }>,
  most = sampleRows,
): Promise<Row[]> {
  const rows: Row[] = []
  try {
    for await (const row of readRows(sample, shape, () => undefined)) {
      rows.push(row)
      if (rows.length >= most) break
    }
  } catch (error) {
    // The import reports later problems when it reads those rows. It does not start if the first row is wrong.
    if (rows.length === 0 || !(error instanceof ImportError)) throw error
  }
  if (rows.length === 0) throw new ImportError(sample.file, 'contains a header but no rows')
  return rows
}

type MappingOf = ReturnType<typeof mapColumns>
type SampleOf = (column: number) => unknown[]

function chooseTimeReader(
  file: string,
  shape: Exclude<Shape, { kind: 'recording' }>,
  { fields }: MappingOf,
  { timeUnit, nowMs }: PlanOptions,
  sampleOf: SampleOf,
): TimeReader | null {
  const found = fields.find(({ field }) => isTimeField(field))
  if (found === undefined) return null
  const { name, column } = found
  if (timeUnit !== null) return timeReader(file, name, { stated: timeUnit })
  if (shape.kind === 'table' && shape.known === 'ratings')
    return timeReader(file, name, { format: 's', name: shape.name })
  return timeReader(file, name, { sample: sampleOf(column), nowMs })
}

function chooseOccurredAt(
  file: string,
  as: Target,
  time: TimeReader | null,
  columns: readonly string[],
  { occurredAt }: PlanOptions,
): string | null {
  if (as === 'pins') return null
  if (time !== null || occurredAt !== null) return occurredAt
  throw new ImportError(
    file,
    `no column is the time; give --map COLUMN=occurredAt, or --occurred-at TIME for all rows (columns: ${columns.join(', ')})`,
  )
}

function chooseRules(
  file: string,
  { as, fields }: MappingOf,
  ruled: readonly Rule[],
  sampleOf: SampleOf,
): { readonly rules: readonly Rule[]; readonly scale: number | null; readonly notes: readonly string[] } {
  if (as === 'pins') return { rules: [], scale: null, notes: [] }
  const hasAction = fields.some(({ field }) => field === 'action')
  const rating = fields.find(({ field }) => field === 'rating')
  const shownRules = (rules: readonly Rule[]): string => rules.map(shownRule).join(', ')
  if (ruled.length > 0) {
    const rest = hasAction ? 'other rows keep their action' : 'other rows are skipped'
    return { rules: ruled, scale: null, notes: [`  actions: ${shownRules(ruled)}; ${rest}`] }
  }
  if (hasAction) return { rules: [], scale: null, notes: [] }
  if (rating !== undefined) {
    const cells = sampleOf(rating.column).map(plainText)
    const { rules, scale } = ratingRules(file, rating.name, cells)
    return {
      rules,
      scale,
      notes: [`  actions: ${shownRules(rules)} (scale 0–${scale}); --map changes this`],
    }
  }
  const every: Rule = { column: '*', comparison: '=', value: '', action: 'click' }
  return {
    rules: [every],
    scale: null,
    notes: ["  actions: no column has the action, so each row is a click; --map '*:save' changes this"],
  }
}

function detectSeparator({ fields }: MappingOf, sampleOf: SampleOf): string {
  const topics = fields.find(({ field }) => field === 'topics')
  if (topics === undefined) return '|'
  const cells = sampleOf(topics.column).map(plainText)
  return ['|', ';', ','].find((separator) => cells.some((cell) => cell.includes(separator))) ?? '|'
}
