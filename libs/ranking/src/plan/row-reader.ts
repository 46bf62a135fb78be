import { nearest } from '@freshet/domain/nearest'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import { columnBuilder, type ColumnBuilder } from './column-builder.ts'
import { noGroup, type RowTable } from './column.ts'
import type { Plan, PlanHead } from './plan.ts'
import { RowsError } from './rows-error.ts'
import { describeReport, type RowsReport } from './rows-report.ts'

/** Rows after which mistyped names are looked for, so that a long file is not read for nothing. */
const enoughRows = 1_000

/** The names of the inputs that some transform takes as times: they need 64-bit floats. */
function timeInputs(plan: Plan, catalogue: TransformCatalogue): ReadonlySet<string> {
  return new Set(
    plan.nodes.flatMap(({ transform, args }) => (catalogue.get(transform)?.times ?? []).map((at) => args[at]!)),
  )
}

/** How rows are read. */
export interface RowReaderOptions {
  /** The key of an input in files of exported rows, where its own name is not there; null: it has no other key. */
  readonly exportedKey?: (input: string) => string | null
  /** Whether a row without any label of the plan is left out. Default: true. */
  readonly needsLabels?: boolean
}

/** Reads rows (EVALUATION §3) into columns, line by line. A row that cannot be used is counted and left out. */
export class RowReader {
  readonly #file: string
  readonly #needsLabels: boolean
  readonly #inputs: readonly {
    readonly name: string
    readonly exportedKey: string | null
    readonly builder: ColumnBuilder
    present: number
  }[]
  readonly #knownKeys: ReadonlySet<string>
  readonly #labels: readonly {
    readonly name: string
    readonly kind: PlanHead['kind'] | 'any'
    readonly values: ColumnBuilder
  }[]
  readonly #weights = columnBuilder({ kind: 'scalar' }, false)
  readonly #unused = new Set<string>()
  readonly #leftOut = new Map<string, { rows: number; readonly firstLine: number }>()
  #read = 0
  #rows = 0
  #isWeighted = false
  readonly #groups = new Map<string, number>()
  readonly #groupOf: number[] = []
  #fromMs = Infinity
  #toMs = -Infinity

  /** `file`: its name in errors. */
  constructor(
    plan: Plan,
    catalogue: TransformCatalogue,
    file: string,
    { exportedKey, needsLabels = true }: RowReaderOptions = {},
  ) {
    this.#file = file
    this.#needsLabels = needsLabels
    const times = timeInputs(plan, catalogue)
    this.#inputs = plan.inputs.map(({ name, type }) => ({
      name,
      exportedKey: exportedKey?.(name) ?? null,
      builder: columnBuilder(type, times.has(name)),
      present: 0,
    }))
    this.#knownKeys = new Set(
      this.#inputs.flatMap(({ name, exportedKey: key }) => (key === null ? [name] : [name, key])),
    )
    const kinds = new Map<string, PlanHead['kind'] | 'any'>()
    for (const { params } of plan.nodes) if (typeof params['label'] === 'string') kinds.set(params['label'], 'any')
    for (const { label, kind } of plan.heads) kinds.set(label, kind)
    this.#labels = [...kinds].map(([name, kind]) => ({ name, kind, values: columnBuilder({ kind: 'scalar' }, false) }))
  }

  /** Adds the row of a line. Empty lines are skipped. `line`: its number, from 1. */
  add(text: string, line: number): void {
    if (text.trim() === '') return
    this.#read++
    const reason = this.#addRow(text)
    if (reason === null) this.#rows++
    else {
      this.#truncate()
      const known = this.#leftOut.get(reason)
      if (known === undefined) this.#leftOut.set(reason, { rows: 1, firstLine: line })
      else known.rows++
    }
    if (this.#rows === enoughRows) this.#checkNames()
  }

  /**
   * The table and the report. Throws a RowsError if a key seems to be a mistyped input, if more than `maxLeftOut` (a share) of
   * the rows cannot be used, or if there are none.
   */
  finish(maxLeftOut: number): { readonly table: RowTable; readonly report: RowsReport } {
    this.#checkNames()
    const report = this.#report()
    if (this.#read === 0)
      throw new RowsError('ROWS_EMPTY', `${this.#file} has no rows; expected one JSON object a line`)
    const leftOut = this.#read - this.#rows
    if (this.#rows === 0 || leftOut > maxLeftOut * this.#read) {
      const limit = `at most ${100 * maxLeftOut} % may be`
      throw new RowsError('ROWS_CORRUPT', `${this.#file}: ${describeReport(report)}; ${limit}`)
    }
    const inputs = new Map(this.#inputs.map(({ name, builder }) => [name, builder.finish()]))
    const labels = new Map(this.#labels.map(({ name, values }) => [name, floatsOf(values)]))
    const weights = this.#isWeighted ? floatsOf(this.#weights) : null
    const groups = this.#groups.size > 0 && { groups: Int32Array.from(this.#groupOf) }
    const times = this.#toMs >= this.#fromMs && { times: { fromMs: this.#fromMs, toMs: this.#toMs } }
    return { table: { rows: this.#rows, inputs, labels, weights, ...groups, ...times }, report }
  }

  /** Why the row of a line cannot be used; null: it is added. */
  #addRow(text: string): string | null {
    let row: unknown
    try {
      row = JSON.parse(text)
    } catch {
      return /\b(NaN|Infinity)\b/.test(text) ? 'not JSON: NaN or Infinity' : 'not JSON'
    }
    if (!isObject(row)) return 'not an object'
    const { values, labels, weight = 1, group } = row
    if (!isObject(values)) return '"values" is not an object'
    if (!isObject(labels)) return '"labels" is not an object'
    if (group !== undefined && typeof group !== 'string') return '"group" is not a text'
    const problem = this.#addValues(values) ?? this.#addLabels(labels) ?? this.#addWeight(weight)
    if (problem === null) this.#addPlace(group, values['at'])
    return problem
  }

  /** Adds what a usable row says of itself beside its values: its group and its time. */
  #addPlace(group: string | undefined, at: unknown): void {
    const known = group === undefined ? noGroup : (this.#groups.get(group) ?? this.#groups.size)
    if (group !== undefined) this.#groups.set(group, known)
    this.#groupOf.push(known)
    if (typeof at !== 'number') return
    this.#fromMs = Math.min(this.#fromMs, at)
    this.#toMs = Math.max(this.#toMs, at)
  }

  #addValues(values: Readonly<Record<string, unknown>>): string | null {
    let found = 0
    for (const input of this.#inputs) {
      const key = Object.hasOwn(values, input.name) ? input.name : input.exportedKey
      const value = key !== null && Object.hasOwn(values, key) ? values[key] : undefined
      if (value !== undefined) {
        found++
        input.present++
      }
      const problem = input.builder.add(value)
      if (problem !== null) return `"${input.name}" ${problem}`
    }
    const keys = Object.keys(values)
    if (found < keys.length) for (const key of keys) if (!this.#knownKeys.has(key)) this.#unused.add(key)
    return null
  }

  #addLabels(labels: Readonly<Record<string, unknown>>): string | null {
    let known = 0
    for (const { name, kind, values } of this.#labels) {
      const label = Object.hasOwn(labels, name) ? labels[name] : undefined
      const problem = values.add(label) ?? labelProblem(kind, label)
      if (problem !== null) return `label "${name}" ${problem}`
      if (typeof label === 'number') known++
    }
    return known > 0 || this.#labels.length === 0 || !this.#needsLabels
      ? null
      : `no label: ${this.#labels.map(({ name }) => `"${name}"`).join(', ')}`
  }

  #addWeight(weight: unknown): string | null {
    if (typeof weight !== 'number' || !(weight > 0)) return '"weight" is not a number above 0'
    if (weight !== 1) this.#isWeighted = true
    const problem = this.#weights.add(weight)
    return problem === null ? null : `"weight" ${problem}`
  }

  #truncate(): void {
    for (const { builder } of this.#inputs) builder.truncate(this.#rows)
    for (const { values } of this.#labels) values.truncate(this.#rows)
    this.#weights.truncate(this.#rows)
  }

  /** An input that no row has while the rows have a key that is spelled like it: one of the two is mistyped. */
  #checkNames(): void {
    const absent = this.#inputs.filter(({ present }) => present === 0).map(({ name }) => name)
    const mistakes = [...this.#unused].flatMap((key) => {
      const input = nearest(key, absent)
      return input === null ? [] : [`"${key}" is not an input of the spec; did you mean ${input}?`]
    })
    if (mistakes.length > 0) throw new RowsError('ROWS_MISMATCHED', `${this.#file}: ${mistakes.join('; ')}`)
  }

  #report(): RowsReport {
    return {
      read: this.#read,
      leftOut: [...this.#leftOut].map(([reason, { rows, firstLine }]) => ({ reason, rows, firstLine })),
      unusedKeys: [...this.#unused],
      absentInputs: this.#inputs.filter(({ present }) => present === 0).map(({ name }) => name),
    }
  }
}

function labelProblem(kind: PlanHead['kind'] | 'any', label: unknown): string | null {
  if (typeof label !== 'number' || kind === 'any') return null
  if (kind === 'probability') return label === 0 || label === 1 ? null : 'is not 0 or 1'
  return label >= 0 ? null : 'is below 0'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function floatsOf(builder: ColumnBuilder): Float32Array {
  const column = builder.finish()
  if (column.kind !== 'numbers' || column.values instanceof Float64Array) throw new TypeError('expected 32-bit floats')
  return column.values
}
