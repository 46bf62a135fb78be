import type { Column, RowTable } from '@freshet/ranking/plan/column'
import type { Pausing } from '@freshet/ranking/plan/pausing'
import type { Plan } from '@freshet/ranking/plan/plan'
import { planColumns } from '@freshet/ranking/rows/plan-columns'
import type { RowsPart } from '@freshet/ranking/rows/row-batch'
import { feedOf, type WindowRow } from './row-window.ts'

/** Weights by propensity are at most this, so that one lucky draw does not decide. */
const maxPropensityWeight = 5

/**
 * The inputs of a plan and the labels that it reads, of these rows. A label that no batch has is absent. The generator pauses
 * after each input.
 */
export function* tableOf(plan: Plan, rows: readonly WindowRow[]): Pausing<RowTable> {
  const parts = partsOf(rows)
  const inputs = new Map<string, Column>()
  for (const input of plan.inputs) {
    for (const [name, column] of planColumns({ spec: plan.spec, inputs: [input] }, parts)) inputs.set(name, column)
    yield
  }
  const labels = new Map<string, Float32Array>()
  for (const name of labelsOf(plan)) {
    const isKnown = parts.some(({ batch }) => batch.labels[name] !== undefined)
    if (isKnown)
      labels.set(
        name,
        numbers(rows, ({ batch, row }) => batch.labels[name]?.[row] ?? NaN),
      )
  }
  const weights = numbers(rows, ({ batch, row }) => batch.weight[row]! * propensityWeight(batch.propensity[row]!))
  return { rows: rows.length, inputs, labels, weights }
}

/** The merged retrieval score of each row; NaN: not recorded. */
export function retrievalScoresOf(rows: readonly WindowRow[]): Float64Array {
  return Float64Array.from(rows, ({ batch, row }) => batch.retrievalScore[row]!)
}

/** How many of the rows each feed has; the rows of a feed are neighbours. */
export function feedSizesOf(rows: readonly WindowRow[]): readonly number[] {
  const sizes: number[] = []
  let last: string | null = null
  for (const row of rows) {
    const feed = feedOf(row)
    if (feed === last) sizes.push(sizes.pop()! + 1)
    else sizes.push(1)
    last = feed
  }
  return sizes
}

/** The labels of the heads, and those that fitted transforms read. */
function labelsOf({ heads, nodes }: Plan): ReadonlySet<string> {
  const fitted = nodes.flatMap(({ params: { label } }) => (typeof label === 'string' ? [label] : []))
  return new Set([...heads.map(({ label }) => label), ...fitted])
}

/** Neighbours of one batch as a part. */
function partsOf(rows: readonly WindowRow[]): readonly RowsPart[] {
  const parts: { batch: WindowRow['batch']; rows: number[] }[] = []
  for (const { batch, row } of rows) {
    const last = parts.at(-1)
    if (last?.batch === batch) last.rows.push(row)
    else parts.push({ batch, rows: [row] })
  }
  return parts.map((part) => ({ batch: part.batch, rows: Int32Array.from(part.rows) }))
}

function numbers(rows: readonly WindowRow[], of: (row: WindowRow) => number): Float32Array {
  return Float32Array.from(rows, of)
}

/** 1 / propensity, bounded; 1 where the order was not drawn. */
function propensityWeight(propensity: number): number {
  return propensity > 0 ? Math.min(maxPropensityWeight, 1 / propensity) : 1
}
