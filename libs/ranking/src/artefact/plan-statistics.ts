import type { Column, RowTable } from '../plan/column.ts'
import type { Pausing } from '../plan/pausing.ts'
import type { InputStatistics } from './manifest.ts'
import { partSharesOf } from './value-parts.ts'

/**
 * Statistics of the inputs of a plan, by name; of a vector those of each of its numbers, as `NAME.0`, `NAME.1`, …. Of categories
 * and sequences: how many rows have a value, and the share of the most frequent one; their mean, deviation and quantiles say
 * nothing. `weights`: how many rows each row stands for; null: 1. The generator pauses after each input.
 */
export function* planStatisticsOf({
  rows,
  inputs,
  weights,
}: Pick<RowTable, 'rows' | 'inputs' | 'weights'>): Pausing<Record<string, InputStatistics>> {
  const found: Record<string, InputStatistics> = {}
  const counts = weights ?? new Float32Array(rows).fill(1)
  for (const [name, column] of inputs) {
    if (column.kind !== 'numbers') found[name] = ofTexts(column)
    else
      for (let part = 0; part < column.width; part++) {
        const values = Float32Array.from({ length: rows }, (_, row) => column.values[row * column.width + part]!)
        found[column.width === 1 ? name : `${name}.${part}`] = inputStatisticsOf(values, counts)
      }
    yield
  }
  return found
}

function inputStatisticsOf(all: Float32Array, weights: Float32Array): InputStatistics {
  const values = all.filter((value) => !Number.isNaN(value)).sort()
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count)
  const quantiles =
    count === 0 ? [] : Array.from({ length: 11 }, (_, tenth) => values[Math.round((tenth / 10) * (count - 1))]!)
  const ofMostFrequent = Math.max(0, ...quantiles.map((value) => runLength(values, value)))
  return {
    count,
    mean,
    standardDeviation: Math.sqrt(variance),
    missingShare: all.length === 0 ? 0 : 1 - count / all.length,
    mostFrequentShare: all.length === 0 ? 0 : ofMostFrequent / all.length,
    quantiles,
    partShares: partSharesOf(all, quantiles, weights),
  }
}

/** How often a value occurs in an ascending column. */
function runLength(sorted: Float32Array, value: number): number {
  return sorted.lastIndexOf(value) - sorted.indexOf(value) + 1
}

function ofTexts(column: Exclude<Column, { kind: 'numbers' }>): InputStatistics {
  const rowsOf = new Map<string, number>()
  let count = 0
  for (let row = 0; row < column.rows; row++) {
    const value = valueOf(column, row)
    if (value === '') continue
    count++
    rowsOf.set(value, (rowsOf.get(value) ?? 0) + 1)
  }
  const mostFrequent = [...rowsOf.values()].reduce((most, rows) => Math.max(most, rows), 0)
  return {
    count,
    mean: 0,
    standardDeviation: 0,
    missingShare: column.rows === 0 ? 0 : 1 - count / column.rows,
    mostFrequentShare: column.rows === 0 ? 0 : mostFrequent / column.rows,
    quantiles: [],
    partShares: [],
  }
}

/** The value of a row as a text; '': missing. */
function valueOf(column: Exclude<Column, { kind: 'numbers' }>, row: number): string {
  switch (column.kind) {
    case 'categories': {
      const code = column.codes[row]!
      return code < 0 ? '' : `${code}`
    }
    case 'indices':
      return column.values.subarray(row * column.hashes, (row + 1) * column.hashes).join()
    case 'sequences': {
      const { elements } = column
      const [from, to] = [column.offsets[row]!, column.offsets[row + 1]!]
      return elements.kind === 'categories' ? elements.codes.subarray(from, to).join() : to > from ? `${from}` : ''
    }
  }
}
