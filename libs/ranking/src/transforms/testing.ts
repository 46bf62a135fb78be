import { readFileSync } from 'node:fs'
import { NewBuffers } from '../plan/buffers.ts'
import type { Column } from '../plan/column.ts'
import { plainRows, type Plain } from '../plan/testing.ts'
import { transformCatalogue } from './catalogue.ts'

/** Evaluates a fixed transform of the catalogue on columns. Returns the rows of its result. */
export function evaluated(name: string, params: object, ...args: readonly Column[]): readonly Plain[] {
  const transform = transformCatalogue.get(name)
  if (transform?.gradient !== 'fixed') throw new Error(`${name} is not a fixed transform`)
  const rows = Math.max(1, ...args.map((arg) => arg.rows))
  return plainRows(transform.evaluate(args, transform.params.parse(params), new NewBuffers(rows)))
}

/** Training rows as a transform's `fit` takes them. */
export interface TrainingRows {
  readonly labels?: Readonly<Record<string, readonly number[]>>
  readonly weights?: readonly number[]
  readonly seed?: number
}

/** Fits a transform of the catalogue on columns. Returns its statistics and what evaluates it with them. */
export function fitted(
  name: string,
  params: object,
  args: readonly Column[],
  training: TrainingRows = {},
): { readonly state: unknown; on(...others: readonly Column[]): readonly Plain[] } {
  const transform = transformCatalogue.get(name)
  if (transform?.gradient !== 'fitted') throw new Error(`${name} is not a fitted transform`)
  const parsed = transform.params.parse(params)
  const labels = Object.entries(training.labels ?? {}).map(
    ([label, values]) => [label, Float32Array.from(values)] as const,
  )
  const state: unknown = transform.fit(args, parsed, {
    rows: args[0]!.rows,
    labels: new Map(labels),
    weights: training.weights === undefined ? null : Float32Array.from(training.weights),
    seed: training.seed ?? 1,
    readFile: (path) => readFileSync(path, 'utf8'),
  })
  // As if the model were stored and loaded.
  const loaded = transform.state.parse(JSON.parse(JSON.stringify(state)))
  return {
    state,
    on: (...others) =>
      plainRows(
        transform.evaluate(others, parsed, new NewBuffers(Math.max(1, ...others.map(({ rows }) => rows))), loaded),
      ),
  }
}

/** Expects two lists of plain values to be equal up to the rounding of 32-bit floats. */
export function roundedTo32Bits(value: Plain): Plain {
  if (typeof value === 'number') return Math.fround(value)
  return typeof value === 'object' && value !== null ? value.map(roundedTo32Bits) : value
}
